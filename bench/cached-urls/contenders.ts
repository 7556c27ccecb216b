/** Who is asked for 100 URLs that Redis has. Each gives back the last one, so that the work can't be left out. */
import { Redis } from 'ioredis'
import { cacheSignedUrls, redisCache } from '../../dist/cache.js'
import { s3 } from '../../dist/s3.js'

export interface CachedUrls {
  /** The URLs of all keys, from the cache; filled by the first call. */
  read(keys: readonly string[]): Promise<string>
  close(): Promise<unknown>
}

/** A URL of S3's length, for those that cache what they are given. */
function urlOf(key: string): string {
  return `http://127.0.0.1:9/photos/${key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Signature=${'0123456789abcdef'.repeat(4)}`
}

export const CONTENDERS: Record<string, (url: string) => Promise<CachedUrls>> = {
  async 'bare MGET'(url) {
    const redis = new Redis(url)
    let filled = false
    return {
      async read(keys) {
        if (!filled) await redis.mset(new Map(keys.map(key => [`bare:${key}`, urlOf(key)])))
        filled = true
        const values = await redis.mget(keys.map(key => `bare:${key}`))
        return values.at(-1)!
      },
      close: () => redis.quit(),
    }
  },

  async stowage(url) {
    return ours(url, {})
  },

  async 'stowage, nothing remembered'(url) {
    return ours(url, { localEntries: 0, version: '2' })
  },

  async bentocache(url) {
    const { BentoCache, bentostore } = await import('bentocache')
    const { redisDriver } = await import('bentocache/drivers/redis')
    const bento = new BentoCache({
      default: 'redis',
      stores: { redis: bentostore().useL2Layer(redisDriver({ connection: new Redis(url) as never })) },
    })
    return {
      async read(keys) {
        const values = await Promise.all(
          keys.map(key => bento.getOrSet({ key, ttl: '6d', factory: async () => urlOf(key) })),
        )
        return values.at(-1)!
      },
      close: () => bento.disconnectAll(),
    }
  },

  async cacheable(url) {
    const { Cacheable } = await import('cacheable')
    const { default: KeyvRedis } = await import('@keyv/redis')
    // Its memory layer is off, as for the others: what is compared is Redis.
    const cacheable = new Cacheable({ primary: new KeyvRedis(url) as never, ttl: '6d' })
    let filled = false
    return {
      async read(keys) {
        if (!filled) await cacheable.setMany(keys.map(key => ({ key, value: urlOf(key) })))
        filled = true
        const values = await cacheable.getMany<string>([...keys])
        return values.at(-1)!
      },
      close: () => cacheable.disconnect(),
    }
  },
}

async function ours(url: string, options: object): Promise<CachedUrls> {
  const redis = new Redis(url)
  const store = s3({
    bucket: 'photos',
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the bench' },
  })
  const files = cacheSignedUrls(store, { cache: redisCache(redis), ...options })
  return {
    async read(keys) {
      const results = await files.signedUrls(keys)
      const last = results.at(-1)!
      if (!last.ok) throw last.error
      return last.value.url
    },
    async close() {
      await files.close()
      await redis.quit()
    },
  }
}
