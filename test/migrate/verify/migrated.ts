/** A migration that has run, for tests of what is found of it afterwards. */
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import type { Manifest, ManifestRow } from '../../../src/migrate/manifest.ts'
import { type MigrationStatus, migrate } from '../../../src/migrate/migrate.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import type { MigrationResult } from '../../../src/migrate/migration-event.ts'
import { checkedSettings, type MigrationSettings } from '../../../src/migrate/plan/checked-settings.ts'
import { type Stray, strays } from '../../../src/migrate/verify/strays.ts'
import type { VerificationSummary } from '../../../src/migrate/verify/verification-summary.ts'
import { type VerifyMigrationOptions, verifyMigration } from '../../../src/migrate/verify/verify-migration.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

export interface Migrated {
  readonly from: StorageProvider
  readonly to: StorageProvider
  readonly manifest: Manifest
  readonly settings: MigrationSettings
  /** Calls to the two stores since the last verification began: `to.info`, `from.page`, … */
  readonly calls: Record<string, number>
  verify(options?: VerifyMigrationOptions): Promise<VerificationSummary>
  /** Once more, as from the beginning. */
  run(): Promise<MigrationResult>
  status(): Promise<MigrationStatus>
  row(key: string): Promise<ManifestRow>
  /** Of all rows, by source key, and of the strays, by their own. */
  statuses(): Promise<Record<string, string>>
  strays(): Promise<Stray[]>
}

/** @param given what the migration is made of; `from` is filled with `objects` */
export async function migrated(
  objects: Readonly<Record<string, string>>,
  given: Partial<MigrateOptions> = {},
): Promise<Migrated> {
  const calls: Record<string, number> = {}
  const from = counted(given.from ?? memory(), 'from', calls)
  const to = counted(given.to ?? memory(), 'to', calls)
  for (const [key, text] of Object.entries(objects)) await from.upload(key, text, { checksum: 'sha256' })
  const engine = given.manifest ?? sqlite({ path: ':memory:' })
  const options = { ...given, from, to, manifest: engine }
  const manifest = await openManifest(engine, given.name ?? 'default')
  const settings = checkedSettings(options)
  const all = async () => {
    const found: Stray[] = []
    for await (const stray of strays(manifest)) found.push(stray)
    return found
  }
  const run = async () => {
    let result: MigrationResult | undefined
    for await (const event of migrate(options)) if (event.kind === 'done') result = event.result
    return result!
  }
  await run()
  return {
    from,
    to,
    manifest,
    settings,
    calls,
    run,
    status: () => migrate(options).status(),
    verify(wanted = {}) {
      for (const name of Object.keys(calls)) delete calls[name]
      return verifyMigration(settings, manifest, { random: () => 0, sleep: async () => {}, ...wanted })
    },
    async row(key) {
      return (await manifest.row(key))!
    },
    async statuses() {
      const found: Record<string, string> = {}
      for await (const row of manifest.rows({ states: ['planned', 'copied', 'failed', 'refused'] }))
        found[row.sourceKey] = row.status
      for (const { side, key } of await all())
        found[key] = side === 'source' ? 'missing-destination' : 'missing-source'
      return found
    },
    strays: all,
  }
}

function counted(inner: StorageProvider, side: string, calls: Record<string, number>): StorageProvider {
  const count = (name: string) => {
    calls[`${side}.${name}`] = (calls[`${side}.${name}`] ?? 0) + 1
  }
  return forward(inner, {
    info(key, options) {
      count('info')
      return inner.info(key, options)
    },
    download(key, options) {
      count('download')
      return inner.download(key, options)
    },
    list(options) {
      const listing = inner.list(options)
      return {
        ...listing,
        async *pages() {
          for await (const page of listing.pages()) {
            count('page')
            yield page
          }
        },
      }
    },
  })
}
