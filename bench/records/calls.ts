/** What is asked of the database and of the store, counted; `info`, and the delete of many. */
import { s3 } from '../../dist/s3.js'
import type { RecordedFiles } from '../../src/records/recorded-files.ts'
import type { Target } from '../contenders/contender.ts'
import { counted, race, type Scale, type Section } from '../section.ts'
import { countCalls } from './count-calls.ts'
import { type CountingProxy, countingProxy } from './counting-proxy.ts'
import { entrant } from './entrant.ts'
import type { SqliteLibrary } from './sqlite-library.ts'
import { filesWithRecords, openEngine, s3Options } from './with-records.ts'

const ROWS = 1_000
const INFOS = 500
const FILES = 10_000
const FILES_QUICK = 300
const UPLOADS = 100

export async function benchCalls(
  target: Target,
  library: SqliteLibrary,
  path: (name: string) => string,
  scale: Scale,
): Promise<Section[]> {
  const proxy = await countingProxy(target.endpoint)
  const engine = openEngine({ library, path: path('calls') })
  const sql = countCalls(engine)
  const store = s3(s3Options({ ...target, endpoint: proxy.url }))
  const files = filesWithRecords(store, sql.engine)
  try {
    // The process has begun: the tenant is known, and the store's time.
    await files.upload('first', 'bytes')
    await files.delete('first')
    const world = { files, proxy, sql }
    return [
      await countUploads(world),
      await countInfos(world, library, path, scale),
      await countDelete(world, scale.quick ? FILES_QUICK : FILES),
    ]
  } finally {
    await files.close()
    await proxy.stop()
  }
}

interface World {
  files: RecordedFiles
  proxy: CountingProxy
  sql: { batches: number; queries: number }
}

function reset({ proxy, sql }: World): void {
  proxy.counts.clear()
  sql.batches = 0
  sql.queries = 0
}

async function countUploads(world: World): Promise<Section> {
  reset(world)
  for (let at = 0; at < UPLOADS; at++) await world.files.upload(`counted/${at}`, 'bytes')
  const { batches, queries } = world.sql
  return {
    title: `Upload of ${UPLOADS} files to S3 with records: what is asked`,
    how: 'Calls of engine.batch and engine.query counted by a wrapper, HTTP requests by a proxy before MinIO; one upload after the other. Without records there is no SQL.',
    counts: { ...Object.fromEntries(world.proxy.counts), 'SQL batches': batches, 'SQL queries': queries },
    bars: [counted('SQL batches and queries an upload', (batches + queries) / UPLOADS, 2)],
  }
}

async function countInfos(
  world: World,
  library: SqliteLibrary,
  path: (name: string) => string,
  scale: Scale,
): Promise<Section> {
  reset(world)
  for (let at = 0; at < INFOS; at++) await world.files.info(`counted/${at % UPLOADS}`)
  const requests = [...world.proxy.counts.values()].reduce((sum, count) => sum + count, 0)
  const { queries } = world.sql
  const options = (name: string) => ({ library, path: path(name), rows: ROWS })
  const { rates, ratio } = await race(
    [
      entrant('stowage info', 'info', options('info')),
      entrant(`bare SELECT by ${library}`, 'select-bare', options('select')),
    ],
    scale,
  )
  return {
    title: 'info from the record',
    how: `${INFOS} infos of files on S3, requests counted by a proxy before MinIO. Rates: one after the other, of ${ROWS} files in SQLite by ${library}.`,
    rates,
    counts: { infos: INFOS, 'requests to the store': requests, 'SQL queries': queries },
    bars: [
      counted(`requests to the store for ${INFOS} infos`, requests, 0),
      ...ratio('info ÷ bare SELECT', 'stowage info', `bare SELECT by ${library}`),
    ],
  }
}

async function countDelete(world: World, count: number): Promise<Section> {
  const { files, proxy, sql } = world
  const keys = Array.from({ length: count }, (_, at) => `many/${at}`)
  const left = keys.values()
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (const key of left) await files.upload(key, 'bytes')
    }),
  )
  reset(world)
  const start = performance.now()
  const results = await files.deleteMany(keys)
  const seconds = (performance.now() - start) / 1000
  const deleted = results.filter(({ status }) => status === 'deleted').length
  if (deleted !== count) throw new Error(`${deleted} of ${count} files were deleted`)
  const { batches, queries } = sql
  const asked = Object.fromEntries(proxy.counts)
  return {
    title: `Delete of ${count} files on S3 with records: what is asked`,
    how: 'One deleteMany of a process that has begun. Requests counted by a proxy before MinIO, calls of engine.batch and engine.query by a wrapper.',
    counts: { ...asked, 'SQL batches': batches, 'SQL queries': queries, seconds: seconds.toFixed(2) },
    bars: [
      counted(`DeleteObjects for ${count} files`, proxy.counts.get('DeleteObjects') ?? 0, 12),
      counted(`SQL batches and queries for ${count} files`, batches + queries, 30),
      counted('HEAD and GET for them', (proxy.counts.get('HEAD') ?? 0) + (proxy.counts.get('GET') ?? 0), 0),
    ],
  }
}
