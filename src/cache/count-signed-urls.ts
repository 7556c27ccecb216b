import type { CacheCounts, CacheOutcome } from '../core/cache-outcomes.ts'

/** What is read of an event of `observe`. */
export interface SignedUrlEvent {
  readonly operation: string
  readonly cache?: CacheCounts
}

export type SignedUrlCounter = 'signed_url' | 'signed_url_batch'

/**
 * Turns the events of an `observe` that stands outside of `cacheSignedUrls` into two counters of URLs, by outcome:
 * `signed_url` for those asked for one by one, `signed_url_batch` for those of `signedUrls`. A hit came from the cache; a
 * miss was signed; an error was signed because the cache could not be asked, or could not keep it. Other events count
 * nothing, nor do URLs that are never cached, nor those that could not be signed, which are in the event's own outcome.
 *
 * @example
 * ```ts
 * const help = 'Signed URLs by what the cache had'
 * const counters = {
 *   signed_url: new Counter({ name: 'signed_url', help, labelNames: ['outcome'] }),
 *   signed_url_batch: new Counter({ name: 'signed_url_batch', help, labelNames: ['outcome'] }),
 * }
 * const files = observe(cacheSignedUrls(store, { cache }), event =>
 *   countSignedUrls(event, (counter, outcome, count) => counters[counter].inc({ outcome }, count)),
 * )
 * ```
 */
export function countSignedUrls(
  { operation, cache }: SignedUrlEvent,
  add: (counter: SignedUrlCounter, outcome: CacheOutcome, count: number) => void,
): void {
  if (cache === undefined) return
  const counter = operation === 'signedUrls' ? 'signed_url_batch' : 'signed_url'
  if (cache.hits > 0) add(counter, 'hit', cache.hits)
  if (cache.misses > 0) add(counter, 'miss', cache.misses)
  if (cache.errors > 0) add(counter, 'error', cache.errors)
}
