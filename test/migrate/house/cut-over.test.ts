/** The same house, moved while its people stay: a live cut-over from Supabase to MinIO. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { retry } from '../../../src/decorators/retry.ts'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import { type CutOver, cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import type { VerifyLevel } from '../../../src/migrate/migrate-options.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { Application, keysHeldBy } from './application.ts'
import { openStore } from './leg.ts'
import { differences, standingIn } from './standing.ts'
import { s3Store, supabaseStore } from './stores.ts'

/** As many as the application writes in each phase, at least. */
const OPERATIONS = 8

test('a house that is lived in is cut over from Supabase to MinIO, each of which falls on the way', {
  timeout: 600_000,
}, async context => {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-house-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const destination = await s3Store('minio', context)
  const source = await supabaseStore()
  const [from, to] = await Promise.all([openStore(source), openStore(destination)])
  const engine = sqlite({ path: join(folder, 'records.db') })
  const store = cutOver({ from: retry(from), to: retry(to), engine, leaseMs: 60_000, beatMs: 200 })
  const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
  onTestFinished(() => files.close())
  const random = seededRandom(8)
  const application = new Application('cut-over', files, random)
  await application.fill({
    keys: keysHeldBy([from, to]).filter((_, at) => at % 4 === 0),
    small: 30,
    large: 1,
  })

  application.start(Number.POSITIVE_INFINITY)
  await application.acts(OPERATIONS)
  expect(await store.advance()).toBe('dual-write')
  await destination.fall()
  await application.acts(OPERATIONS)
  const { failing } = await store.status()
  await destination.rise()
  expect(await store.advance()).toBe('backfill')
  expect(await store.backfill()).toMatchObject({ failed: 0 })
  expect(await store.advance()).toBe('verify')
  await matches(store, 'checksum')
  expect(await store.advance()).toBe('compare-reads')
  await source.fall()
  await application.acts(OPERATIONS / 2)
  await source.rise()
  await application.acts(OPERATIONS)
  await matches(store, 'checksum')
  expect(await store.advance()).toBe('destination-first')
  await application.acts(OPERATIONS)
  await source.fall()
  await application.acts(OPERATIONS)
  await source.rise()
  await matches(store, 'content')
  expect(await store.advance()).toBe('retired')
  await application.acts(OPERATIONS)
  await application.stop()

  await files.recover()
  const after = withRecords(to, engine, { env: {} })
  const standing = await standingIn(after)
  expect(differences(application.objects, standing)).toEqual([])
  expect([...standing.keys()].filter(key => !application.objects.has(key))).toEqual([])
  expect((await after.audit()).findings).toEqual([])
  console.log(
    `cut over from ${source.name} to ${destination.name}: ${standing.size} objects, ${JSON.stringify({ ...application.done, failing })}`,
  )
})

/** What is owed to either side comes there, though more is written meanwhile. */
async function matches(store: CutOver, level: VerifyLevel): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await store.settle()
    const found = await store.verify({ level })
    if (found.matched) return
    if (attempt === 10) expect(found).toMatchObject({ matched: true, problems: [] })
  }
}
