/** The source's list held against the rows: what is new, has changed, has come back or is gone. */
import { StorageError } from '../../core/errors.ts'
import { KeyStream, meetings } from '../../core/key-streams.ts'
import type { ObjectInfo } from '../../core/provider.ts'
import type { ManifestRow, RowChange } from '../manifest.ts'
import { assertSteady, type Destination, destinationsOf, placeOf } from './destination-key.ts'
import type { PlanContext } from './plan-context.ts'

/** So many conversions are asked twice: what answers by chance or by time shows at once. */
const ASKED_TWICE = 1000

export type Change = RowChange & { readonly ifRevision: number }

/** @throws what the list throws: then nothing behind that page is touched */
export async function compareSource(
  context: PlanContext,
  pages: AsyncIterable<readonly ObjectInfo[]>,
): Promise<void> {
  const { manifest, writes, onEvent } = context
  const changeOf = await sourceChanges(context)
  const streams = {
    object: new KeyStream(pages, (object: ObjectInfo) => object.key),
    row: new KeyStream(manifest.rowPages(), row => row.sourceKey),
  }
  for await (const [, { object, row }] of meetings(streams)) {
    const change = changeOf(row, object)
    if (change === undefined) continue
    if (change.isOther) await onEvent({ kind: 'changed', key: change.row.sourceKey })
    const full = writes.add(change.row)
    if (full !== undefined) await full
  }
  await writes.flush()
}

export interface SourceChange {
  readonly row: Change
  /** Another object under a key that is known. */
  readonly isOther: boolean
}

/** What the source's list says of a row, and of an object that has none; counted in the plan. */
export async function sourceChanges(
  context: PlanContext,
): Promise<(row: ManifestRow | undefined, object: ObjectInfo | undefined) => SourceChange | undefined> {
  const { settings, counts } = context
  const destinationOf = await destinationsOf(settings)
  let asked = 0
  return (row, object) => {
    if (row !== undefined) counts.known++
    const destination = object && destinationOf(object)
    if (object !== undefined && destination === undefined) {
      counts.leftOut.objects++
      counts.leftOut.bytes += object.size
    }
    if (object === undefined || destination === undefined) {
      if (row === undefined || row.state === 'gone') return undefined
      const { sourceKey, revision } = row
      counts.since.gone++
      const change = { sourceKey, state: 'gone', ifRevision: revision } as const
      return { row: row.state === 'copied' ? change : { ...change, ...OF_NO_COPY }, isOther: false }
    }
    if (asked++ < ASKED_TWICE) assertSteady(settings, object, destination)
    const isOther = row !== undefined && row.state !== 'gone' && hasChanged(row, object)
    const change =
      row === undefined
        ? addedRow(context, object, destination)
        : isOther
          ? changedRow(context, row, object, destination)
          : knownRow(context, row, object, destination)
    if (change === undefined) return undefined
    if (row === undefined || row.state === 'gone') counts.since.added++
    if (isOther) counts.since.changed++
    return { row: change, isOther }
  }
}

function addedRow(context: PlanContext, object: ObjectInfo, destination: Destination): Change {
  return { sourceKey: object.key, ifRevision: 0, ...asListed(object), ...asPlanned(context, destination) }
}

function changedRow(context: PlanContext, row: ManifestRow, object: ObjectInfo, destination: Destination) {
  assertSameDestination(row, destination)
  return {
    sourceKey: row.sourceKey,
    ifRevision: row.revision,
    ...asListed(object),
    ...asPlanned(context, destination),
    ...AS_NEW,
    // Whom it meets at the destination does not depend on its content.
    ...(isMet(row) && row.destinationKey === destination.key ? { state: row.state, ...reasonOf(row) } : {}),
    // What a copy put there is replaced, and only that.
    ...(row.state === 'copied' ? { occupant: 'ours' as const } : {}),
  }
}

/** The object is as the row has it. */
function knownRow(
  context: PlanContext,
  row: ManifestRow,
  object: ObjectInfo,
  destination: Destination,
): Change | undefined {
  const base = { sourceKey: row.sourceKey, ifRevision: row.revision }
  const isSameKey = row.destinationKey === destination.key
  if (!isSameKey) assertSameDestination(row, destination)
  const planned = asPlanned(context, destination)
  if (row.state === 'gone') {
    const isAsLeft = isSameKey && !hasChanged(row, object) && planned.state === 'planned'
    if (isAsLeft && wasCopied(row) && isOfItsCopy(row))
      return { ...base, state: 'copied', status: 'unverified', level: null }
    const occupant = wasCopied(row) ? { occupant: 'ours' as const } : {}
    return { ...base, ...asListed(object), ...planned, ...AS_NEW, ...occupant }
  }
  const isRefused = row.state === 'refused' && isStatic(row)
  if (isSameKey && isRefused === (planned.state === 'refused')) return undefined
  if (isSameKey && row.state === 'copied') return undefined
  return { ...base, ...planned, ...AS_NEW, ...(isSameKey ? {} : NOWHERE) }
}

/** A refusal that the source's list alone decides about. */
function isStatic({ errorCode }: ManifestRow): boolean {
  return errorCode === 'invalid-key' || errorCode === 'too-large'
}

/** A row that was planned again tells of an object that nobody has copied: should it come back, its place has another one. */
export const OF_NO_COPY = { sourceChecksum: null } as const

const AS_NEW = {
  ...OF_NO_COPY,
  attempts: 0,
  status: 'unverified',
  level: null,
} as const

/** What was known of a place that is no longer its own. */
const NOWHERE = {
  occupant: null,
  destinationEtag: null,
  destinationSize: null,
  destinationModified: null,
} as const

function asListed({ size, etag, lastModified }: ObjectInfo) {
  return { size, sourceEtag: etag ?? null, sourceModified: lastModified?.getTime() ?? null }
}

function asPlanned({ settings }: PlanContext, { key, refusal }: Destination) {
  return {
    destinationKey: key,
    place: refusal === undefined ? (placeOf(settings, key) ?? null) : null,
    state: refusal === undefined ? ('planned' as const) : ('refused' as const),
    errorCode: refusal?.reason ?? null,
    errorMessage: refusal?.message ?? null,
  }
}

/** Refused for what other rows are: `findCollisions` decides. */
function isMet({ errorCode }: ManifestRow): boolean {
  return errorCode === 'collision' || errorCode === 'case-collision'
}

function reasonOf({ errorCode, errorMessage }: ManifestRow) {
  return { errorCode, errorMessage }
}

/** And is there still, as far as was seen: what was lost since has no size there. */
function wasCopied({ destinationSize, occupant }: ManifestRow): boolean {
  return occupant !== 'foreign' && destinationSize !== undefined
}

/** Of a row that is gone: whether size and etag are those of the object that was copied. Without a checksum it is copied once more. */
function isOfItsCopy({ sourceChecksum }: ManifestRow): boolean {
  return sourceChecksum !== undefined
}

/** By the etag, which changes with the content. A store without one tells the time, some of them to the second. */
export function hasChanged(row: ManifestRow, { size, etag, lastModified }: ObjectInfo): boolean {
  if (row.size !== size) return true
  if (row.sourceEtag !== undefined && etag !== undefined) return row.sourceEtag !== etag
  if (row.sourceModified === undefined || lastModified === undefined) return false
  return Math.floor(row.sourceModified / 1000) !== Math.floor(lastModified.getTime() / 1000)
}

/** @throws `conflict` where an object lies already, or may lie, where the conversion sent it before */
function assertSameDestination(row: ManifestRow, { key }: Destination): void {
  if (row.destinationKey === key) return
  if (row.state !== 'copied' && row.progress === undefined && !wasCopied(row)) return
  throw new StorageError(
    'conflict',
    `migrate: keys now sends ${JSON.stringify(row.sourceKey)} to ${JSON.stringify(key)}, and this migration has sent it to ${JSON.stringify(row.destinationKey)}; keep the rules, or begin another migration under a new name`,
    { operation: 'migrate', key: row.sourceKey, retryable: false },
  )
}
