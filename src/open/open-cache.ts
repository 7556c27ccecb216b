import type { SignedUrlCache } from '../cache/signed-url-cache.ts'
import { StorageError } from '../core/errors.ts'
import type { StorageProvider } from '../core/provider.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The provider with `cacheSignedUrls` around it. A cache that is opened here, by its URL, is closed with it; one of yours
 * stays open.
 *
 * @throws `invalid-argument` for an unknown URL, for a password in it, and where the provider signs no URLs
 */
export async function withCache(
  provider: StorageProvider,
  cache: string | SignedUrlCache,
  env: Env,
): Promise<StorageProvider> {
  const { cacheSignedUrls, memoryCache, redisCache } = await import('../cache/index.ts')
  if (typeof cache !== 'string') return cacheSignedUrls(provider, { cache })
  if (cache === 'memory:') return cacheSignedUrls(provider, { cache: memoryCache() })
  const { forward } = await import('../decorators/forward.ts')
  // It loads ioredis and connects when it is first needed: a Redis that is down keeps nobody from opening.
  const redis = redisCache({ url: redisUrl(cache, env) })
  const cached = cacheSignedUrls(provider, { cache: redis })
  return forward(cached, {
    async close() {
      try {
        await cached.close()
      } finally {
        await redis.close()
      }
    },
  })
}

function redisUrl(url: string, { REDIS_URL }: Env): string {
  if (url === 'redis:') {
    if (!REDIS_URL) throw refuse('redis: alone means REDIS_URL, which is not set')
    return REDIS_URL
  }
  if (!/^rediss?:/.test(url))
    throw refuse(
      'this is no URL of a cache; known are memory:, redis://host:6379/0, rediss://host and redis:',
    )
  if (/[@?#]/.test(url))
    throw refuse(
      'the URL of a cache holds no user, no password and no parameters; write redis: and set REDIS_URL',
    )
  return url
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `open: ${problem}`, { operation: 'open' })
}
