/** Two stores in memory, a manifest, and what stands in for the copier in tests of the plan. */
import { memory } from '../../../src/adapters/memory.ts'
import { listingOf } from '../../../src/core/listing.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import type { Manifest, ManifestRow } from '../../../src/migrate/manifest.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import type { MigrationEvent } from '../../../src/migrate/migration-event.ts'
import type { MigrationPlan } from '../../../src/migrate/migration-plan.ts'
import { checkedSettings } from '../../../src/migrate/plan/checked-settings.ts'
import { planMigration } from '../../../src/migrate/plan/plan-migration.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

export interface PlanSetting {
  readonly from: StorageProvider
  readonly to: StorageProvider
  readonly manifest: Manifest
  readonly events: MigrationEvent[]
  /** Calls to either store, by name. */
  readonly calls: string[]
  plan(options?: Partial<MigrateOptions>): Promise<MigrationPlan>
  /** Copies what is planned, as the copier would for places that are empty or ours. */
  copy(): Promise<void>
  rows(): Promise<ManifestRow[]>
  states(): Promise<Record<string, string>>
}

export async function planSetting(given: Partial<MigrateOptions> = {}): Promise<PlanSetting> {
  const calls: string[] = []
  const from = counted(given.from ?? memory(), 'source', calls)
  const to = counted(given.to ?? memory(), 'destination', calls)
  const engine = given.manifest ?? sqlite({ path: ':memory:' })
  const manifest = await openManifest(engine, given.name ?? 'test')
  const events: MigrationEvent[] = []
  const rows = async () => {
    const found: ManifestRow[] = []
    for await (const row of manifest.rows()) found.push(row)
    return found
  }
  const copyRow = async ({ sourceKey, destinationKey }: ManifestRow) => {
    const body = await (await from.download(sourceKey)).bytes()
    const { etag, size } = await to.upload(destinationKey, body)
    await manifest.write([
      {
        sourceKey,
        state: 'copied',
        occupant: 'ours',
        destinationEtag: etag,
        destinationSize: size,
        sourceChecksum: 'sha256:00',
      },
    ])
  }
  return {
    from,
    to,
    manifest,
    events,
    calls,
    rows,
    plan(options = {}) {
      events.length = 0
      calls.length = 0
      const settings = checkedSettings({ ...given, ...options, from, to, manifest: engine })
      return planMigration(settings, manifest, {
        onEvent(event) {
          events.push(event)
        },
      })
    },
    async copy() {
      const isFree = (row: ManifestRow) => row.state === 'planned' && row.occupant !== 'foreign'
      await Promise.all((await rows()).filter(isFree).map(copyRow))
    },
    async states() {
      return Object.fromEntries((await rows()).map(({ sourceKey, state }) => [sourceKey, state]))
    },
  }
}

function counted(inner: StorageProvider, side: string, calls: string[]): StorageProvider {
  return forward(inner, {
    info: (key, options) => {
      calls.push(`${side} info`)
      return inner.info(key, options)
    },
    list: options => {
      const list = inner.list({ ...options, pageSize: options?.pageSize ?? 100 })
      return listingOf({
        page: list.page,
        async *pages() {
          for await (const page of list.pages()) {
            calls.push(`${side} list`)
            yield page
          }
        },
      })
    },
  })
}
