/** Signs some URLs in a process of its own, over a bucket that both know, and tells them to its parent. */
import { s3 } from '../../src/adapters/s3/index.ts'
import { cacheSignedUrls, redisCache } from '../../src/cache/index.ts'

const cache = redisCache({ url: process.argv[2]! })
const files = cacheSignedUrls(
  s3({
    bucket: 'photos',
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the tests' },
    // Each process has a time of its own, so that none signs by chance what another has signed.
    now: () => Date.now() - (process.pid % 1000) * 1000,
  }),
  { cache, cacheTimeoutMs: 60_000 },
)
await cache.connect()
const results = await files.signedUrls(['a', 'b', 'c', 'd/e', 'é'])
process.send!(results.map(result => (result.ok ? result.value.url : String(result.error))))
await files.close()
await cache.close()
process.disconnect()
