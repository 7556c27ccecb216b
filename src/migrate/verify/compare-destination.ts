import { meetings } from '../../core/key-streams.ts'
import type { ObjectInfo } from '../../core/provider.ts'
import type { Manifest, ManifestRow, RowChange } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { OnEvent } from '../migration-event.ts'
import type { MigrationSettings } from '../plan/checked-settings.ts'
import { isReplaced } from './check-object.ts'
import { changeOf, hasOtherBytes } from './check-rows.ts'
import { type Finding, MATCH, MISSING_DESTINATION, REPLACED } from './finding.ts'
import { listedSide, rowStream } from './listed-side.ts'
import type { StrayLog } from './strays.ts'

export interface CompareDestinationOptions {
  readonly level: VerifyLevel
  readonly strays: StrayLog
  /** Whether what was found of a row before is still to be believed. */
  readonly keeps: (row: ManifestRow) => boolean
  readonly signal: AbortSignal | undefined
  readonly onEvent: OnEvent | undefined
}

const WRITTEN = 256

/**
 * Holds the destination's list against the rows, in the order of its keys: what is missing, what was replaced, and what
 * nobody planned. A row with which nothing is wrong here is `unverified` or `match` behind it.
 */
export async function compareDestination(
  settings: MigrationSettings,
  manifest: Manifest,
  { level, strays, keeps, signal, onEvent }: CompareDestinationOptions,
): Promise<void> {
  const listed = listedSide(settings.to, {
    prefix: settings.destinationPrefix,
    signal,
    onPage: (objects, bytes) => onEvent?.({ kind: 'listing', side: 'destination', objects, bytes }),
  })
  const rows = rowStream(pagesOf(manifest.rowsByDestination()), 'destinationKey')
  const changes: RowChange[] = []
  // Rows that collide have one destination key, and one object is there for all of them.
  let place: { key: string; object: ObjectInfo | undefined; wanted: boolean } | undefined
  const leave = async () => {
    // What was copied and has gone from the source since is on one side only, as what was never planned.
    if (place?.object !== undefined && !place.wanted)
      await strays.add({ side: 'destination', key: place.key, size: place.object.size })
  }
  for await (const [key, { listed: object, rows: row }] of meetings({ listed, rows })) {
    if (place?.key !== key) {
      await leave()
      place = { key, object, wanted: false }
    }
    if (row === undefined || row.state === 'gone') continue
    place.wanted = true
    const finding = placeFinding(row, place.object)
    const change = keeps(row) && finding === undefined ? undefined : marked(row, finding, level)
    if (change !== undefined) changes.push(change)
    if (changes.length >= WRITTEN) await manifest.write(changes.splice(0))
  }
  await leave()
  await manifest.write(changes)
}

/** What is wrong with a row's place; undefined where nothing is. */
function placeFinding(row: ManifestRow, there: ObjectInfo | undefined): Finding | undefined {
  if (there === undefined) return MISSING_DESTINATION
  return row.state !== 'copied' || isReplaced(row, there) ? REPLACED : undefined
}

function marked(row: ManifestRow, finding: Finding | undefined, level: VerifyLevel): RowChange | undefined {
  if (finding !== undefined) return changeOf(row, finding, level)
  if (row.status === 'match' || row.status === 'unverified') return undefined
  if (hasOtherBytes(row, level))
    return { sourceKey: row.sourceKey, status: 'unverified', ifRevision: row.revision }
  return changeOf(row, { ...MATCH, status: 'unverified' }, level)
}

async function* pagesOf(rows: AsyncIterable<ManifestRow>): AsyncGenerator<readonly ManifestRow[]> {
  let page: ManifestRow[] = []
  for await (const row of rows) {
    page.push(row)
    if (page.length < 500) continue
    yield page
    page = []
  }
  yield page
}
