/**
 * `npm run build:quick && tsx bench/image-urls.ts`: what the URL sets of a feed cost this process, with records in SQLite
 * and warm signed URLs, in memory and in Redis; and what the parts of it cost. `--quick` tries the bench itself.
 *
 * CPU of this process only: SQLite runs in it and counts, Redis does not.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { cacheSignedUrls, memoryCache, redisCache } from '../dist/cache.js'
import { imageUrls } from '../dist/images.js'
import { imgproxy } from '../dist/imgproxy.js'
import { memory } from '../dist/memory.js'
import { withRecords } from '../dist/records.js'
import { sqlite } from '../dist/sqlite.js'
import type { SignedUrlCache } from '../src/cache/index.ts'
import { freePort } from '../test/support/free-port.ts'
import { findTool } from '../test/support/tools.ts'
import { type Spread, spread } from './spread.ts'

const quick = process.argv.includes('--quick')
const FEED = 200
const VARIANTS = 3
const FEEDS_A_ROUND = quick ? 2 : 100
const ROUNDS = quick ? 1 : 5
const WARM_UP_ROUNDS = 2
const NEED_MS = 3

const KEY = '943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881'
const SALT = '520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5'
const PHOTO = {
  contentType: 'image/jpeg',
  metadata: { width: '4000', height: '3000', blurhash: 'LEHV6nWB2yk8pyo0adR*.7kCMdnj' },
}

const redis = await startRedis()
try {
  const rows: Record<string, object> = {
    'one HMAC for each URL, and nothing else': await measure(hmacsOnly(), 0),
    'imgproxy presets alone': await measure(presetsOnly(), 0),
  }
  const caches: [name: string, cache: SignedUrlCache][] = [['memory cache', memoryCache()]]
  if (redis !== undefined) caches.push(['Redis', redisCache(redis.client)])
  for (const [name, cache] of caches) {
    for (const source of ['s3://photos/', 'signed-url'] as const) {
      const { feed, counted } = await recordedFeed(cache, source)
      rows[`imageUrls, ${name}, source ${source}`] = await measure(feed, await counted())
    }
  }
  const { signedOnly } = await recordedFeed(memoryCache(), 's3://photos/')
  rows['signedFiles alone, memory cache'] = await measure(signedOnly, 2)
  console.log(
    `\nA feed of ${FEED} images, ${VARIANTS} imgproxy URLs each; Node ${process.version}. Needed: ${NEED_MS} ms, 2 round trips`,
  )
  console.table(rows)
  if (redis === undefined) console.log('Not measured: Redis, since redis-server is not there')
} finally {
  await redis?.stop()
}

/** CPU of this process for one feed, by rounds. */
async function measure(feed: () => unknown, roundTrips: number): Promise<object> {
  const rounds: number[] = []
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let at = 0; at < FEEDS_A_ROUND; at++) await feed()
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) rounds.push((user + system) / 1000 / FEEDS_A_ROUND)
  }
  return { 'CPU ms a feed': show(spread(rounds)), 'round trips': roundTrips }
}

async function recordedFeed(cache: SignedUrlCache, source: 's3://photos/' | 'signed-url') {
  const trips = { count: 0 }
  const watched: SignedUrlCache = {
    getMany: keys => {
      trips.count++
      return cache.getMany(keys)
    },
    setMany: entries => {
      trips.count++
      return cache.setMany(entries)
    },
    deleteMany: keys => cache.deleteMany(keys),
  }
  const engine = sqlite({ path: ':memory:' })
  const { query } = engine
  engine.query = (...args) => {
    trips.count++
    return query.apply(engine, args)
  }
  const store = memory({
    signing: { baseUrl: 'https://files.example.org/files', secret: 'a secret of the bench' },
  })
  const files = withRecords(cacheSignedUrls(store, { cache: watched }), engine, { env: {} })
  const keys = Array.from({ length: FEED }, (_, at) => `user/thread/${at}.jpg`)
  for (const key of keys) await files.upload(key, key, PHOTO)
  const images = imgproxy({
    url: 'https://img.example.org',
    key: KEY,
    salt: SALT,
    allowSignedSource: source === 'signed-url',
  })
  const urls = imageUrls(files, images, { source })
  const feed = async () => {
    const results = await urls.many(keys)
    if (results.some(({ ok }) => !ok)) throw new Error('a URL set is missing')
  }
  await feed()
  return {
    feed,
    signedOnly: () => files.signedFiles(keys),
    async counted() {
      trips.count = 0
      await feed()
      return trips.count
    },
  }
}

function sources(): string[] {
  return Array.from(
    { length: FEED },
    (_, at) => `s3://photos/default/user/thread/${at}.01kdvdna00f912fqqq2m4kdjea.jpg`,
  )
}

function hmacsOnly(): () => void {
  const [key, salt] = [Buffer.from(KEY, 'hex'), Buffer.from(SALT, 'hex')]
  const paths = sources().map(source => `/rs:fit:400:0/plain/${encodeURIComponent(source)}@webp`)
  return () => {
    for (const path of paths)
      for (let at = 0; at < VARIANTS; at++)
        createHmac('sha256', key).update(salt).update(path).digest('base64url')
  }
}

function presetsOnly(): () => void {
  const images = imgproxy({ url: 'https://img.example.org', key: KEY, salt: SALT })
  const all = sources()
  const presets = [
    images.preset({}),
    images.preset({ resize: 'fit', width: 400, height: 0 }),
    images.preset({ resize: 'fit', width: 20, height: 0, blur: 5 }),
  ]
  return () => {
    for (const source of all) for (const preset of presets) preset(source)
  }
}

async function startRedis() {
  const program = findTool('redis-server')
  if (program === undefined) return undefined
  const port = await freePort()
  const server: ChildProcess = spawn(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore' },
  )
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: 100 })
  client.on('error', () => {})
  await client.ping()
  return {
    client,
    async stop() {
      client.disconnect()
      server.kill()
      await Promise.race([once(server, 'exit'), wait(2000)])
    },
  }
}

function show({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}
