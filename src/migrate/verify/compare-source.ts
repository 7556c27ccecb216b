import { meetings } from '../../core/key-streams.ts'
import { compareKeys } from '../../core/keys.ts'
import type { ObjectInfo } from '../../core/provider.ts'
import type { Manifest, ManifestRow, RowRange } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { OnEvent } from '../migration-event.ts'
import type { MigrationSettings } from '../plan/checked-settings.ts'
import { hasChanged } from '../plan/compare-source.ts'
import { changeOf } from './check-rows.ts'
import { CHANGED_AT_SOURCE, type Finding, MISSING_SOURCE } from './finding.ts'
import { listedSide, rowStream } from './listed-side.ts'

export interface CompareSourceOptions {
  readonly level: VerifyLevel
  readonly range: RowRange
  /** Whether the destination's list has said already that something is wrong with a row. */
  readonly isSettled: (row: ManifestRow) => boolean
  /** Whether the copy has been looked at already, before this process began. */
  readonly isDone: (row: ManifestRow) => boolean
  /** Told of objects that this migration moves and that have no row. */
  readonly onStray: (info: ObjectInfo) => Promise<void>
  readonly signal: AbortSignal | undefined
  readonly onEvent: OnEvent | undefined
}

const WRITTEN = 256

/**
 * Holds the source's list against the rows, in the order of its keys, and yields the rows of copied objects that are at the
 * source as they were when they were copied: what is left is to look at the copies.
 */
export async function* compareSource(
  settings: MigrationSettings,
  manifest: Manifest,
  { level, range, isSettled, isDone, onStray, signal, onEvent }: CompareSourceOptions,
): AsyncGenerator<ManifestRow> {
  const listed = listedSide(settings.from, {
    prefix: settings.sourcePrefix,
    startAfter: range.after,
    signal,
    onPage: (objects, bytes) => onEvent?.({ kind: 'listing', side: 'source', objects, bytes }),
  })
  const rows = rowStream(manifest.rowPages(range), 'sourceKey')
  let waiting: { row: ManifestRow; finding: Finding }[] = []
  const write = async () => {
    const changes = waiting.map(({ row, finding }) => changeOf(row, finding, level))
    waiting = []
    await manifest.write(changes.filter(change => change !== undefined))
  }
  for await (const [key, { listed: object, rows: row }] of meetings({ listed, rows })) {
    if (range.through !== undefined && compareKeys(key, range.through) > 0) break
    if (row === undefined || row.state === 'gone') {
      if (object !== undefined) await onStray(object)
      continue
    }
    if (row.state !== 'copied' || isSettled(row)) continue
    if (object !== undefined && !hasChanged(row, object)) {
      if (!isDone(row)) yield row
      continue
    }
    waiting.push({ row, finding: object === undefined ? MISSING_SOURCE : CHANGED_AT_SOURCE })
    if (waiting.length >= WRITTEN) await write()
  }
  await write()
}
