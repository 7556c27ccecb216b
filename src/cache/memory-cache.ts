import { LRUCache } from 'lru-cache'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { SignedUrlCache } from './signed-url-cache.ts'

export interface MemoryCacheOptions {
  /** Entries at most; the one that was not used for longest goes first. A URL takes two. Default: 100,000. */
  maxEntries?: number
  /** A clock in milliseconds. Default: `performance.now`. */
  now?: () => number
}

/**
 * Keeps signed URLs in this process. Other processes sign for themselves and hear of no delete here: for more than one,
 * take `redisCache`.
 *
 * @throws `invalid-argument`
 * @example
 * ```ts
 * const files = cacheSignedUrls(s3(options), { cache: memoryCache({ maxEntries: 10_000 }) })
 * ```
 */
export function memoryCache(options: MemoryCacheOptions = {}): SignedUrlCache {
  assertFactoryOptions('memoryCache', options, { maxEntries: 'number', now: 'function' })
  const { maxEntries = 100_000, now } = options
  if (!(Number.isSafeInteger(maxEntries) && maxEntries > 0))
    throw new StorageError('invalid-argument', 'memoryCache: maxEntries must be a whole number above 0')
  const kept = new LRUCache<string, string>({
    max: maxEntries,
    ttl: 1,
    // A resolution above zero sets a timer for each entry that is looked at.
    ttlResolution: 0,
    // A time of 0 stands for none.
    ...(now === undefined ? {} : { perf: { now: () => now() + 1 } }),
  })
  return {
    async getMany(keys) {
      return keys.map(key => kept.get(key))
    },
    async setMany(entries) {
      return entries.map(({ key, value, ttlMs: ttl }) => {
        const there = kept.get(key)
        if (there === undefined) kept.set(key, value, { ttl })
        else if (kept.getRemainingTTL(key) < ttl) kept.set(key, there, { ttl })
        return there ?? value
      })
    },
    async deleteMany(keys) {
      for (const key of keys) kept.delete(key)
    },
  }
}
