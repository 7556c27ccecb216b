import { onTestFinished } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { UploadBody } from '../../../src/core/body.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import type { MigrationEvent, MigrationResult } from '../../../src/migrate/migration-event.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

export interface TwoSides {
  readonly from: StorageProvider
  readonly to: StorageProvider
  readonly manifest: Engine
}

/** Two stores in memory, the first with some objects, and a manifest in memory. */
export async function twoSides(
  objects: Readonly<Record<string, UploadBody>>,
  given: Partial<TwoSides> = {},
): Promise<TwoSides> {
  const sides = { from: memory(), to: memory(), manifest: sqlite({ path: ':memory:' }), ...given }
  for (const [key, body] of Object.entries(objects)) await sides.from.upload(key, body)
  onTestFinished(() => sides.manifest.close())
  return sides
}

/** A whole migration: its events and its result. */
export async function migrated(
  options: MigrateOptions,
): Promise<{ events: MigrationEvent[]; result: MigrationResult }> {
  const events: MigrationEvent[] = []
  for await (const event of migrate(options)) events.push(event)
  const last = events.at(-1)
  if (last?.kind !== 'done') throw new Error(`the last event is ${last?.kind}`)
  return { events, result: last.result }
}

/** All objects of a store as text, by key. */
export async function textsOf(store: StorageProvider): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for await (const entry of store.list())
    if (entry.kind === 'object') texts[entry.key] = await (await store.download(entry.key)).text()
  return texts
}

export function ofKind<Kind extends MigrationEvent['kind']>(events: readonly MigrationEvent[], kind: Kind) {
  return events.filter((event): event is Extract<MigrationEvent, { kind: Kind }> => event.kind === kind)
}
