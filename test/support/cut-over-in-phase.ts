import type { CutOverPhase } from '../../src/migrate/cut-over/phase.ts'
import { numberOf } from '../../src/migrate/cut-over/phase.ts'
import type { Engine } from '../../src/sql/engine.ts'

/** Puts a cut-over that has begun into a phase, past all guards: processes take it at their next beat. */
export async function putInPhase(engine: Engine, name: string, phase: CutOverPhase): Promise<void> {
  await engine.batch([
    [
      'UPDATE stowage_cut_overs SET phase = ?, changes = changes + 1 WHERE name = ?',
      BigInt(numberOf(phase)),
      name,
    ],
  ])
}
