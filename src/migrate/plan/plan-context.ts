import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import type { Manifest } from '../manifest.ts'
import type { OnEvent } from '../migration-event.ts'
import type { MigrationSettings } from './checked-settings.ts'
import { listedObjects } from './listed-objects.ts'
import type { PlanWrites } from './plan-writes.ts'

/** What all steps of one plan share. */
export interface PlanContext {
  readonly settings: MigrationSettings
  readonly manifest: Manifest
  readonly writes: PlanWrites
  readonly counts: PlanCounts
  readonly signal: AbortSignal | undefined
  readonly onEvent: OnEvent
}

export interface PlanCounts {
  readonly pages: { source: number; destination: number }
  readonly leftOut: { objects: number; bytes: number }
  readonly since: { added: number; changed: number; lost: number; gone: number }
  /** Rows that were there before this plan. */
  known: number
}

/** Pages of a list's objects, told as they come. @throws what the list throws: no page is ever left out */
export async function* listedPages(
  { settings, counts, signal, onEvent }: PlanContext,
  side: 'source' | 'destination',
): AsyncGenerator<readonly ObjectInfo[]> {
  const provider: StorageProvider = side === 'source' ? settings.from : settings.to
  const prefix = side === 'source' ? settings.sourcePrefix : settings.destinationPrefix
  let objects = 0
  let bytes = 0
  for await (const page of listedObjects(provider, { prefix, signal })) {
    counts.pages[side]++
    objects += page.length
    for (const { size } of page) bytes += size
    await onEvent({ kind: 'listing', side, objects, bytes })
    yield page
  }
}
