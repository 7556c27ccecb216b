/**
 * What became of signed URLs in a cache, told to whoever observes from outside of it. The outcome is remembered for the
 * URL object itself, which every wrapper hands on: so it is seen through prefixes, retries and records, and no options
 * or surroundings have to carry it.
 */

/** `error`: signed because the cache could not be asked, or not kept because it failed. */
export type CacheOutcome = 'hit' | 'miss' | 'error'

/** How many signed URLs of one operation came from the cache, were signed for it, and passed it by as it failed. */
export interface CacheCounts {
  readonly hits: number
  readonly misses: number
  readonly errors: number
}

type Outcomes = WeakMap<object, CacheOutcome>

/** Shared by every copy of the package, as ESM and CommonJS are two. */
const SHARED = Symbol.for('stowage.cacheOutcomes')
const shared = globalThis as { [SHARED]?: Outcomes }

/** From now on outcomes are remembered; before, nobody would ask. */
export function expectCacheOutcomes(): void {
  shared[SHARED] ??= new WeakMap()
}

export function rememberOutcome(signedUrl: object, outcome: CacheOutcome): void {
  shared[SHARED]?.set(signedUrl, outcome)
}

/** Counts what `signedUrl` or `signedUrls` returned; undefined where no cache was asked. */
export function cacheCounts(result: unknown): CacheCounts | undefined {
  const outcomes = shared[SHARED]
  if (outcomes === undefined) return undefined
  const counts = { hit: 0, miss: 0, error: 0 }
  let known = 0
  for (const one of Array.isArray(result) ? result : [{ value: result }]) {
    const outcome = outcomes.get((one as { value: object }).value)
    if (outcome === undefined) continue
    counts[outcome]++
    known++
  }
  return known === 0 ? undefined : { hits: counts.hit, misses: counts.miss, errors: counts.error }
}
