/** Signed URLs that stay the same for as long as they live, so that browsers and CDNs can cache what they lead to. */
export type { CacheCounts, CacheOutcome } from '../core/cache-outcomes.ts'
export type { CacheTimer } from './cache-calls.ts'
export type { CacheSignedUrlsOptions } from './cache-options.ts'
export { cacheSignedUrls } from './cache-signed-urls.ts'
export { countSignedUrls, type SignedUrlCounter, type SignedUrlEvent } from './count-signed-urls.ts'
export { type MemoryCacheOptions, memoryCache } from './memory-cache.ts'
export {
  type RedisCache,
  type RedisCacheConnection,
  type RedisCacheOptions,
  type RedisClient,
  redisCache,
} from './redis-cache.ts'
export type { CacheEntry, SignedUrlCache } from './signed-url-cache.ts'
