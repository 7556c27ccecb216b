/** The URL sets of a feed: what they cost the process that asks, and how often it has to ask. */
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startRqlite } from '../../test/support/rqlite.ts'
import { countCalls } from '../records/count-calls.ts'
import type { SqliteLibrary } from '../records/sqlite-library.ts'
import { type Bar, counted, race, type Scale, type Section, timed } from '../section.ts'
import type { Entrant } from '../turns.ts'
import type { FeedContender } from './contenders/feed.ts'
import { engineOf, FEED, type FeedOptions, type FeedSource, openFeed, VARIANTS } from './feed-files.ts'

const SOURCES: FeedSource[] = ['s3://photos/', 'signed-url']
const REMEMBERED = 10_000
const NEED_MS = 3
const NEED_ROUND_TRIPS = 2
const MODULE = new URL('./contenders/feed.ts', import.meta.url)

export async function benchFeed(
  redis: string,
  library: SqliteLibrary,
  folder: string,
  scale: Scale,
): Promise<Section> {
  // The stand-in's own speed says nothing; what its client spends is what it would spend on rqlited.
  const rqlite = await startRqlite({ size: 1 })
  try {
    const sqlite = {
      name: 'SQLite',
      records: (tenant: string) => ({ library, path: join(folder, `${tenant}.db`) }),
    }
    const urls = rqlite.nodes.map(({ url }) => url)
    const cluster = { name: 'rqlite', records: () => ({ urls }) }
    const feeds = SOURCES.flatMap(source => [
      feedOf(sqlite, source),
      feedOf(sqlite, source, 0),
      feedOf(cluster, source),
    ])
    const parts: Entrant[] = [
      timed('the HMACs alone', MODULE, { part: 'hmacs' } satisfies FeedContender),
      timed('stowage, imgproxy presets alone', MODULE, { part: 'presets' } satisfies FeedContender),
    ]
    const all = feeds.map(({ name, options }) =>
      timed(name, MODULE, { part: 'all', redis, ...options } satisfies FeedContender),
    )
    const { rates, cpuMillis } = await race([...parts, ...all], scale)
    const bars: Bar[] = feeds.flatMap(({ name }) => cpuMillis(`${name}: CPU ms`, name, { atMost: NEED_MS }))
    const trips: number[] = []
    for (const { options } of feeds) trips.push(await countRoundTrips(redis, options))
    bars.push(counted('round trips of a feed, the most of these', Math.max(...trips), NEED_ROUND_TRIPS))
    return {
      title: `URL sets of a feed of ${FEED} images`,
      how:
        `imageUrls over withRecords over cacheSignedUrls on Redis, warm: the signed URL and ${VARIANTS} imgproxy URLs each, blurhash and size. CPU of the process that asks. ` +
        `SQLite (${library}) runs in that process, so its CPU counts; rqlite (${rqlite.kind}) and Redis are other processes. ` +
        'Nothing remembered: localEntries: 0, as in a process that begins. Round trips: SQL queries and batches, and Redis commands, counted at the engine and at the client.',
      rates,
      figures: ['cpuMillis', 'millis'],
      bars,
    }
  } finally {
    await rqlite.stop()
  }
}

function feedOf(
  { name, records }: { name: string; records(tenant: string): FeedOptions['records'] },
  source: FeedSource,
  localEntries = REMEMBERED,
) {
  const words = ['stowage', name, source === 'signed-url' ? source : 's3 source']
  if (localEntries === 0) words.push('nothing remembered')
  const tenant = `${name}_${source === 'signed-url' ? 'signed' : 's3'}_${localEntries}`.toLowerCase()
  return { name: words.join(', '), options: { records: records(tenant), source, localEntries, tenant } }
}

/** What one more view of a warm feed asks of the database and of Redis. */
async function countRoundTrips(url: string, options: FeedOptions): Promise<number> {
  const redis = new Redis(url)
  try {
    const sql = countCalls(engineOf(options))
    const feed = await openFeed(redis, sql.engine, { ...options, tenant: `counted_${options.tenant}` })
    await feed.read()
    let trips = 0 - sql.queries - sql.batches
    const { sendCommand } = redis
    redis.sendCommand = (...args) => {
      trips++
      return sendCommand.apply(redis, args)
    }
    await feed.read()
    trips += sql.queries + sql.batches
    await feed.close()
    return trips
  } finally {
    redis.disconnect()
  }
}
