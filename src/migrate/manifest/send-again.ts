import { isStorageError } from '../../core/errors.ts'
import type { Engine, Statement } from '../../sql/engine.ts'

const TRIES = 4

/**
 * A batch, sent again where its answer was lost. All that a manifest writes may happen twice: it says what is the case,
 * or names the revision that it changes. So no ids of batches are kept.
 */
export async function sendAgain(
  engine: Engine,
  statements: readonly Statement[],
  locks: readonly string[] = [],
): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await engine.batch(statements, { locks })
      return
    } catch (error) {
      if (left === 1 || !isStorageError(error, 'pending')) throw error
    }
  }
}
