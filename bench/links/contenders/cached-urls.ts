/** Who is asked for 100 URLs that Redis has. Each gives back the last one, so that the work can't be left out. */
import { Redis } from 'ioredis'
import { cacheSignedUrls, redisCache } from '../../../dist/cache.js'
import { s3 } from '../../../dist/s3.js'
import type { TimedContender } from '../../timed-contender.ts'

export interface CachedUrlsOptions {
  name: string
  /** Of Redis. */
  url: string
}

const KEYS = Array.from({ length: 100 }, (_, n) => `user-${n}/thread/insert_${n}.jpg`)

export async function create({ name, url }: CachedUrlsOptions): Promise<TimedContender> {
  const read = await READERS[name]!(url)
  return {
    atOnce: 1,
    operate: async () => {
      const last = await read(KEYS)
      if (!last.includes('insert_99')) throw new Error(`read ${last}`)
    },
  }
}

/** Gives the last of the URLs of all keys, from the cache; the first call fills it. */
type ReadUrls = (keys: readonly string[]) => Promise<string>

/** A URL of S3's length, for those that cache what they are given. */
function urlOf(key: string): string {
  return `http://127.0.0.1:9/photos/${key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Signature=${'0123456789abcdef'.repeat(4)}`
}

const READERS: Record<string, (url: string) => Promise<ReadUrls>> = {
  async 'bare MGET'(url) {
    const redis = new Redis(url)
    let filled = false
    return async keys => {
      if (!filled) await redis.mset(new Map(keys.map(key => [`bare:${key}`, urlOf(key)])))
      filled = true
      const values = await redis.mget(keys.map(key => `bare:${key}`))
      return values.at(-1)!
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
    return async keys => {
      const values = await Promise.all(
        keys.map(key => bento.getOrSet({ key, ttl: '6d', factory: async () => urlOf(key) })),
      )
      return values.at(-1)!
    }
  },

  async cacheable(url) {
    const { Cacheable } = await import('cacheable')
    const { default: KeyvRedis } = await import('@keyv/redis')
    // Its memory layer is off, as for the others: what is compared is Redis.
    const cacheable = new Cacheable({ primary: new KeyvRedis(url) as never, ttl: '6d' })
    let filled = false
    return async keys => {
      if (!filled) await cacheable.setMany(keys.map(key => ({ key, value: urlOf(key) })))
      filled = true
      const values = await cacheable.getMany<string>([...keys])
      return values.at(-1)!
    }
  },

  async 'files-sdk'(url) {
    const { createFiles } = await import('files-sdk')
    const { cache } = await import('files-sdk/cache')
    const { s3: adapter } = await import('files-sdk/s3')
    const redis = new Redis(url)
    // It has no store of its own for Redis: its documentation says to serialize the record.
    const store = {
      get: async (key: string) => JSON.parse((await redis.get(`files:${key}`)) ?? 'null') ?? undefined,
      set: async (key: string, record: object) =>
        void (await redis.set(`files:${key}`, JSON.stringify(record))),
      delete: async (key: string) => void (await redis.del(`files:${key}`)),
      clear: () => {},
    }
    const files = createFiles({
      adapter: adapter(S3),
      plugins: [cache({ store, ttl: 6 * 86_400_000 })],
    })
    // It has no call for many.
    return async keys => {
      const urls = await Promise.all(keys.map(key => files.url(key, { expiresIn: 604_800 })))
      return urls.at(-1)!
    }
  },
}

const S3 = {
  bucket: 'photos',
  endpoint: 'http://127.0.0.1:9',
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the bench' },
}

async function ours(url: string, options: object): Promise<ReadUrls> {
  const files = cacheSignedUrls(s3(S3), { cache: redisCache(new Redis(url)), ...options })
  return async keys => {
    const results = await files.signedUrls(keys)
    const last = results.at(-1)!
    if (!last.ok) throw last.error
    return last.value.url
  }
}
