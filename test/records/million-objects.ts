/**
 * Audits and collects a bucket of a million objects in a process of its own, and prints what it found and how much memory
 * it took. No list of them is ever held: the store makes its pages from numbers, the records are rows in a file.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'
import { compareKeys } from '../../src/core/keys.ts'
import { listingOf } from '../../src/core/listing.ts'
import type { ObjectInfo, StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/forward.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

const COUNT = Number(process.argv[2])
/** Every so many objects one has no record. */
const ORPHAN_EVERY = 2503
const DAY = 86_400_000
/** A thousand pages take 50 hours: more than the grace. */
const PAGE_MS = 3 * 60_000

const clock = { now: Date.UTC(2026, 0, 1) }
const WRITTEN = new Date(clock.now - 10 * DAY)
const samples: { heap: number; rss: number }[] = []
const deleted = new Set<string>()
/** What was copied to quarantine, and the marker: few. */
const others = memory({ now: () => clock.now })
let failsAt: number | undefined
let pages = 0

const isOrphan = (index: number) => index % ORPHAN_EVERY === 7
const digits = (index: number) => String(index).padStart(8, '0')
const keyOf = (index: number) =>
  `default/${digits(index).slice(0, 5)}/photo-${digits(index)}.01j8z6q4n3m2k1h0g9${digits(index)}.jpg`
const indexOf = (key: string) => Number(/photo-(\d{8})\./.exec(key)?.[1] ?? Number.NaN)
const infoOf = (index: number): ObjectInfo => ({
  key: keyOf(index),
  size: 1000 + index,
  etag: `e${index}`,
  lastModified: WRITTEN,
})

/** The first index whose key is behind `after`: the numbers are in the order of their keys. */
function firstBehind(after: string | undefined): number {
  if (after === undefined || compareKeys(after, keyOf(0)) < 0) return 0
  const index = indexOf(after)
  return Number.isNaN(index) ? COUNT : index + 1
}

const store: StorageProvider = forward(others, {
  name: 'a million',
  list: ({ prefix = '', startAfter } = {}) => {
    const reserved = () => others.list({ prefix, ...(startAfter === undefined ? {} : { startAfter }) })
    const page = (from: number, limit: number) => {
      const items = []
      let index = from
      for (; index < COUNT && items.length < limit; index++)
        if (!deleted.has(keyOf(index))) items.push({ kind: 'object' as const, ...infoOf(index) })
      return { items, index }
    }
    return listingOf({
      async page({ after = startAfter, limit = 1000 } = {}) {
        const { items, index } = page(firstBehind(after), limit)
        return index < COUNT ? { items, next: items.at(-1)!.key } : { items }
      },
      async *pages() {
        // Their names begin with a dot, before all digits.
        for await (const first of reserved().pages()) yield first
        for (let from = firstBehind(startAfter); from < COUNT; ) {
          const { items, index } = page(from, 1000)
          from = index
          pages++
          clock.now += PAGE_MS
          if (pages === failsAt) throw new StorageError('unavailable', 'list: the store is down')
          if (pages % 50 === 0) sample()
          yield items
        }
      },
    })
  },
  async infoMany(keys, options) {
    const all: string[] = []
    for await (const key of keys as Iterable<string>) all.push(key)
    return Promise.all(
      all.map(async key => {
        const index = indexOf(key)
        if (Number.isNaN(index)) return (await others.infoMany([key], options))[0]!
        if (!deleted.has(key)) return { key, ok: true as const, value: infoOf(index) }
        return { key, ok: false as const, error: new StorageError('not-found', 'gone') }
      }),
    )
  },
  async copy(from, to) {
    return others.upload(to, `copy of ${from}`)
  },
  async deleteMany(keys) {
    const results = []
    for await (const entry of keys as Iterable<string | { key: string }>) {
      const key = typeof entry === 'string' ? entry : entry.key
      deleted.add(key)
      results.push({ key, status: 'deleted' as const })
    }
    return results
  },
})

function sample(): void {
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  samples.push({ heap: heapUsed, rss })
}

async function phase<T>(name: string, work: () => Promise<T>, told: (result: T) => object): Promise<void> {
  samples.length = 0
  pages = 0
  const begun = performance.now()
  const result = await work()
  const half = Math.floor(samples.length / 2)
  const most = (some: typeof samples, of: 'heap' | 'rss') => Math.max(...some.map(one => one[of]))
  console.log(
    JSON.stringify({
      phase: name,
      seconds: Math.round((performance.now() - begun) / 100) / 10,
      heapFirstHalf: most(samples.slice(0, half), 'heap'),
      heapSecondHalf: most(samples.slice(half), 'heap'),
      peakRss: most(samples, 'rss'),
      ...told(result),
    }),
  )
}

const folder = await mkdtemp(join(tmpdir(), 'stowage-million-'))
const engine = sqlite({ path: join(folder, 'records.db'), durability: 'normal' })
const files = withRecords(store, engine, { now: () => clock.now, monotonic: () => performance.now() })
await files.jobs()
const step = 100_000
for (let from = 0; from < COUNT; from += step)
  await engine.batch([
    [
      "INSERT INTO t_default__files (key, generation, state, physical, size, metadata, store_etag, adopted, created_at, modified_at) WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) SELECT printf('photo-%08d.jpg', i), printf('01j8z6q4n3m2k1h0g9%08d', i), 'live', printf('default/%s/photo-%08d.01j8z6q4n3m2k1h0g9%08d.jpg', substr(printf('%08d', i), 1, 5), i, i), 1000 + i, '{}', 'e' || i, 0, 0, 0 FROM n WHERE i % ? <> 7",
      BigInt(from),
      BigInt(Math.min(COUNT, from + step)),
      BigInt(ORPHAN_EVERY),
    ],
  ])

const isPlanted = (finding: { kind: string }) =>
  'physical' in finding && isOrphan(indexOf(String(finding.physical)))
const wrong = () => [...deleted].filter(key => !key.includes('/.stowage/') && !isOrphan(indexOf(key))).length
const gone = () => [...deleted].filter(key => isOrphan(indexOf(key))).length

let planted = 0
await phase(
  'audit',
  () =>
    files.audit({
      onFinding(finding) {
        if (isPlanted(finding)) planted++
      },
    }),
  report => ({
    objects: report.objects,
    records: report.records,
    counts: report.counts,
    planted,
    listed: report.findings.length,
    deleted: deleted.size,
  }),
)
await phase(
  'collect',
  () => files.collect({ apply: true }),
  report => ({
    orphans: report.orphans,
    waiting: report.waiting,
    removed: report.removed,
    stopped: report.stopped,
    gone: gone(),
    wrong: wrong(),
  }),
)
clock.now += 2 * DAY
failsAt = Math.ceil(COUNT / 1000 / 2)
await phase(
  'collect with a page that fails',
  () =>
    files.collect({ apply: true }).then(
      () => 'ended',
      error => error.code,
    ),
  outcome => ({ outcome, gone: gone(), wrong: wrong() }),
)
failsAt = undefined
await phase(
  'collect again',
  () => files.collect({ apply: true }),
  report => ({
    orphans: report.orphans,
    waiting: report.waiting,
    removed: report.removed,
    gone: gone(),
    wrong: wrong(),
  }),
)
await files.close()
await rm(folder, { recursive: true, force: true })
