/**
 * Plans a migration of a million objects in a process of its own, and prints how long it took and how much memory. The
 * stores make their pages from numbers, the rows are in a file: no list of them is ever held.
 *
 * Arguments: how many objects; `again` for a second plan, when all have been copied; `convert` for new keys.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '../../../src/adapters/memory.ts'
import { listingOf } from '../../../src/core/listing.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import { checkedSettings } from '../../../src/migrate/plan/checked-settings.ts'
import { planMigration } from '../../../src/migrate/plan/plan-migration.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

const COUNT = Number(process.argv[2])
const converts = process.argv.includes('convert')
const again = process.argv.includes('again')
const PAGE = 1000
const WRITTEN = new Date(Date.UTC(2026, 0, 1))

const digits = (index: number) => String(index).padStart(8, '0')
const keyOf = (index: number) => `users/${digits(index).slice(0, 5)}/photo-${digits(index)}.jpg`
/** In another order than the source's. */
const convert = (key: string) => {
  const [, , name] = key.split('/')
  return `${[...name!.slice(6, 14)].reverse().join('')}/${name}`
}

function numbered(keyAt: (index: number) => string, count: () => number): StorageProvider {
  return forward(memory(), {
    list: () =>
      listingOf({
        page: () => Promise.reject(new Error('asked for one page')),
        async *pages() {
          for (let from = 0; from < count(); from += PAGE) {
            const length = Math.min(PAGE, count() - from)
            yield Array.from({ length }, (_, i) => ({
              kind: 'object' as const,
              key: keyAt(from + i),
              size: 1000 + from + i,
              etag: `"${from + i}"-0123456789abcdef0123456789abcdef`,
              lastModified: WRITTEN,
            }))
          }
        },
      }),
  })
}

const samples: { heap: number; rss: number }[] = []
let pages = 0
function sample(): void {
  if (++pages % 50 !== 0) return
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  samples.push({ heap: heapUsed, rss })
}

const folder = await mkdtemp(join(tmpdir(), 'stowage-million-'))
const engine = sqlite({ path: join(folder, 'migration.db') })
const manifest = await openManifest(engine, 'million')
let arrived = 0
const reversed = (index: number) => convert(keyOf(Number([...digits(index)].reverse().join('')) % COUNT))
const settings = checkedSettings({
  from: numbered(keyOf, () => COUNT),
  to: numbered(converts ? reversed : keyOf, () => arrived),
  manifest: engine,
  ...(converts ? { keys: convert } : {}),
})

async function phase(name: string): Promise<void> {
  samples.length = 0
  pages = 0
  const begun = performance.now()
  const cpu = process.cpuUsage()
  const plan = await planMigration(settings, manifest, { onEvent: sample })
  const { user, system } = process.cpuUsage(cpu)
  const half = Math.floor(samples.length / 2)
  const most = (some: typeof samples, of: 'heap' | 'rss') => Math.max(0, ...some.map(one => one[of]))
  console.log(
    JSON.stringify({
      phase: name,
      seconds: Math.round((performance.now() - begun) / 100) / 10,
      cpuSeconds: Math.round((user + system) / 1e5) / 10,
      heapFirstHalf: most(samples.slice(0, half), 'heap'),
      heapSecondHalf: most(samples.slice(half), 'heap'),
      peakRss: most(samples, 'rss'),
      maxRss: process.resourceUsage().maxRSS * 1024,
      plan: { ...plan, refusals: plan.refusals.total },
    }),
  )
}

await phase('first')
if (again) {
  await engine.batch([
    [
      "UPDATE stowage_migration_objects SET state = 'copied', occupant = 'ours', destination_size = size, destination_etag = source_etag",
    ],
  ])
  arrived = COUNT
  await phase('again')
}
await engine.close()
await rm(folder, { recursive: true, force: true })
