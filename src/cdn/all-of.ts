import { StorageError } from '../core/errors.ts'
import type { InvalidationResult, Invalidator } from '../core/invalidator.ts'
import { mostHopeful } from './most-hopeful.ts'

/**
 * Several invalidators as one: each is told everything, at the same time, and a target is `ok` when all say so. Of
 * several errors the one is given that another try may cure; who was told already is then told again, which is harmless.
 *
 * @throws `invalid-argument` where `invalidators` is no list of them
 * @example
 * ```ts
 * const outer = fastly({ apiToken: 'token', baseUrl: 'https://files.example.org' })
 * const inner = httpPurge({ baseUrl: 'https://files.example.org', servers: ['http://10.0.0.5:6081'] })
 * const [result] = await allOf([inner, outer]).invalidate([{ key: 'a/photo.jpg', paths: [], tags: [] }])
 * ```
 */
export function allOf(invalidators: readonly Invalidator[]): Invalidator {
  const given: unknown = invalidators
  if (!Array.isArray(given) || given.length === 0 || !given.every(isInvalidator))
    throw new StorageError(
      'invalid-argument',
      'allOf: invalidators must be an array of one or more invalidators',
    )
  return {
    name: invalidators.map(one => one.name).join('+'),
    async invalidate(targets, options) {
      const answers = await settled(invalidators.map(one => one.invalidate(targets, options)))
      return targets.map((_, at): InvalidationResult => {
        const failures = answers.flatMap((results, from) => failureAt(results[at], invalidators[from]!.name))
        const error = mostHopeful(failures)
        return error === undefined ? { ok: true } : { ok: false, error }
      })
    },
    async close() {
      await settled(invalidators.map(one => one.close()))
    },
  }
}

/** Ends when all have ended: the caller must not hear of a failure while others are still at work. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

function failureAt(result: InvalidationResult | undefined, name: string): StorageError[] {
  if (result?.ok) return []
  const missing = () => new StorageError('internal', `invalidate: ${name} gave no result for a target`)
  return [result?.error ?? missing()]
}

function isInvalidator(value: unknown): boolean {
  return typeof (value as Invalidator | null)?.invalidate === 'function'
}
