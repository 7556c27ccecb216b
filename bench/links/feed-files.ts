/** A feed's files: records on an engine, signed URLs in a cache, and the URL sets of its images. */
import type { Redis } from 'ioredis'
import { cacheSignedUrls, redisCache } from '../../dist/cache.js'
import { imageUrls } from '../../dist/images.js'
import { imgproxy } from '../../dist/imgproxy.js'
import { memory } from '../../dist/memory.js'
import { rqlite } from '../../dist/rqlite.js'
import type { Engine } from '../../src/sql/engine.ts'
import type { SqliteLibrary } from '../records/sqlite-library.ts'
import { filesWithRecords, openEngine } from '../records/with-records.ts'

export interface FeedOptions {
  records: { library: SqliteLibrary; path: string } | { urls: string[] }
  source: FeedSource
  /** Entries that the process remembers, of which it asks Redis only whether they hold. */
  localEntries: number
  /** Contenders share servers and nothing else. */
  tenant: string
}

/** What imgproxy is told to fetch: a place that its own credentials reach, or the signed URL. */
export type FeedSource = 's3://photos/' | 'signed-url'

export const FEED = 200
export const VARIANTS = 3
export const KEY = '943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881'
export const SALT = '520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5'

const PHOTO = {
  contentType: 'image/jpeg',
  metadata: { width: '4000', height: '3000', blurhash: 'LEHV6nWB2yk8pyo0adR*.7kCMdnj' },
}

export function engineOf({ records }: FeedOptions): Engine {
  return 'urls' in records ? (rqlite({ url: records.urls }) as Engine) : openEngine(records)
}

/** Uploads the files, and gives what a page asks for at each view. */
export async function openFeed(redis: Redis, engine: Engine, { source, tenant, localEntries }: FeedOptions) {
  const store = memory({
    signing: { baseUrl: 'https://files.example.org/files', secret: 'a secret of the bench' },
  })
  const cache = redisCache(redis, { keyPrefix: `${tenant}:` })
  const files = filesWithRecords(cacheSignedUrls(store, { cache, localEntries }), engine, { tenant })
  const keys = Array.from({ length: FEED }, (_, at) => `user/thread/${at}.jpg`)
  await Promise.all(keys.map(key => files.upload(key, key, PHOTO)))
  const images = imgproxy({
    url: 'https://img.example.org',
    key: KEY,
    salt: SALT,
    allowSignedSource: source === 'signed-url',
  })
  const urls = imageUrls(files as never, images, { source })
  return {
    async read() {
      const results = await urls.many(keys)
      if (results.some(({ ok }) => !ok)) throw new Error('a URL set is missing')
    },
    close: () => files.close(),
  }
}
