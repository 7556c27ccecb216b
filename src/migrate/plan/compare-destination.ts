/** The destination's list held against the rows: what was lost there, and what lies there that is not ours. */

import { KeyStream, meetings } from '../../core/key-streams.ts'
import type { ObjectInfo } from '../../core/provider.ts'
import type { ManifestRow } from '../manifest.ts'
import type { ExistingObjects } from '../migrate-options.ts'
import type { Change } from './compare-source.ts'
import type { PlanContext } from './plan-context.ts'

/** @throws what the list throws: then nothing behind that page is touched */
export async function compareDestination(
  context: PlanContext,
  pages: AsyncIterable<readonly ObjectInfo[]>,
): Promise<void> {
  const { settings, manifest, writes, counts } = context
  const objects = new KeyStream(pages, (object: ObjectInfo) => object.key)
  await objects.fill()
  // Nothing there, and nothing to miss: the usual first plan.
  if (objects.head === undefined && counts.known === 0) return objects.close()
  const rows = manifest.rowPagesByDestination({ states: ['planned', 'failed', 'copied', 'refused'] })
  const streams = { object: objects, row: new KeyStream(rows, (row: ManifestRow) => row.destinationKey) }
  let last: ObjectInfo | undefined
  for await (const [key, { object, row }] of meetings(streams)) {
    // Rows that share a key, as refused ones may, meet its object one after the other.
    last = object ?? (last?.key === key ? last : undefined)
    if (row === undefined) continue
    const change = destinationChange(row, last, settings.existing)
    if (change === undefined) continue
    if (row.state === 'copied') counts.since.lost++
    const full = writes.add(change)
    if (full !== undefined) await full
  }
  await writes.flush()
}

/** What the destination's list says of a row that is not gone: `object` lies where it goes. */
export function destinationChange(
  row: ManifestRow,
  object: ObjectInfo | undefined,
  existing: ExistingObjects,
): Change | undefined {
  const base = { sourceKey: row.sourceKey, ifRevision: row.revision }
  const isOurs = row.state === 'copied' || row.occupant === 'ours'
  if (row.state === 'refused' && row.errorCode !== 'exists') return undefined
  if (object === undefined) {
    const isKnownEmpty = row.occupant === undefined && (row.state === 'planned' || row.state === 'failed')
    return isKnownEmpty ? undefined : { ...base, ...EMPTY, ...PLANNED }
  }
  if (isOurs && isAsRecorded(row, object)) return undefined
  if (row.state === 'refused' && isAsRecorded(row, object) && existing !== 'overwrite') return undefined
  const found = {
    destinationEtag: object.etag ?? null,
    destinationSize: object.size,
    occupant: 'foreign' as const,
  }
  // One that a copy may have put there before it was killed is compared: it says so in its progress.
  if (existing === 'refuse' && row.progress === undefined) {
    const errorMessage = `another object is at ${JSON.stringify(row.destinationKey)}`
    return { ...base, ...found, state: 'refused', errorCode: 'exists', errorMessage }
  }
  const isKnown = row.occupant === 'foreign' && row.state !== 'refused' && isAsRecorded(row, object)
  return isKnown ? undefined : { ...base, ...found, ...PLANNED }
}

/** Of a row whose object is to be copied again. */
export const PLANNED = {
  state: 'planned',
  attempts: 0,
  errorCode: null,
  errorMessage: null,
  status: 'unverified',
  level: null,
} as const

const EMPTY = {
  occupant: null,
  destinationEtag: null,
  destinationSize: null,
  destinationModified: null,
} as const

function isAsRecorded(
  { destinationEtag, destinationSize }: ManifestRow,
  { etag, size }: ObjectInfo,
): boolean {
  if (destinationSize !== undefined && destinationSize !== size) return false
  return destinationEtag === undefined || etag === undefined || destinationEtag === etag
}
