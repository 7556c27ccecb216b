/** Puts an object in its place without harm to what is not ours. */
import { isStorageError, StorageError } from '../../core/errors.ts'
import type { ObjectAttributes } from '../../core/options.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { ManifestRow } from '../manifest.ts'
import { hasAttributes } from './attributes-text.ts'
import { checksumHasher, parseChecksumText, uploadChecksum } from './checksum-text.ts'
import type { CopyContext } from './copy-context.ts'
import type { KnownWork } from './copy-progress.ts'

export interface PutConditions {
  readonly ifNoneMatch?: '*'
  readonly ifMatch?: string
}

export interface Placement {
  readonly row: ManifestRow
  readonly attributes: ObjectAttributes
  /** What this copy, or one before it, may have put there already. */
  readonly work: KnownWork
  put(conditions: PutConditions): Promise<ObjectInfo>
  /** Checksum of what is to be there, as `checksumText` writes it; read anew where it is not known yet. */
  content(): Promise<string>
  /** Its bytes, where they are known before. */
  readonly size: number | undefined
}

export interface Placed {
  /** What is in the place now. */
  readonly stored: ObjectInfo
  /** False: it is somebody else's, and it stays. */
  readonly isPlaced: boolean
}

/**
 * A place that was empty stays anybody's but ours until our put has won it, where the destination keeps conditions; a copy
 * of ours is replaced only as it was left. What stands in the way is read and compared: the same bytes are taken as put.
 */
export async function placeObject(context: CopyContext, placement: Placement): Promise<Placed> {
  const { existing, to } = context.settings
  await context.ready
  const { occupant, destinationEtag } = placement.row
  if (occupant === 'foreign' && existing !== 'overwrite') return settle(context, placement)
  const { createOnly, conditionalReplace } = to.capabilities
  let conditions: PutConditions = {}
  if (occupant === undefined && createOnly === true) conditions = { ifNoneMatch: '*' }
  if (occupant === 'ours' && conditionalReplace === true && destinationEtag !== undefined)
    conditions = { ifMatch: destinationEtag }
  // What came since the plan would be overwritten unseen.
  const isUnguarded = occupant === undefined ? createOnly !== true : conditionalReplace !== true
  if (isUnguarded && occupant !== 'foreign' && !(await isAsPlanned(context, placement.row)))
    return settle(context, placement)
  try {
    return await put(placement, conditions)
  } catch (error) {
    if (isStorageError(error, 'already-exists', 'precondition-failed')) return settle(context, placement)
    throw error
  }
}

/** Whether the place is as the row has it, at this moment: what a store without conditions can tell. */
async function isAsPlanned(context: CopyContext, row: ManifestRow): Promise<boolean> {
  const stored = await storedAt(context, row.destinationKey)
  if (stored === undefined || row.occupant === undefined) return stored === undefined
  const { destinationEtag, destinationSize } = row
  const isSameEtag =
    destinationEtag === undefined || stored.etag === undefined || stored.etag === destinationEtag
  return isSameEtag && (destinationSize === undefined || stored.size === destinationSize)
}

async function storedAt(
  { settings: { to }, signal, pace }: CopyContext,
  key: string,
): Promise<ObjectInfo | undefined> {
  await pace.request(signal)
  return to.info(key, { signal }).catch(error => {
    if (isStorageError(error, 'not-found') && error.resource === undefined) return undefined
    throw error
  })
}

async function put(placement: Placement, conditions: PutConditions): Promise<Placed> {
  return { stored: await placement.put(conditions), isPlaced: true }
}

/** Another object was in the way: ours from before, the same by chance, or somebody else's. */
async function settle(context: CopyContext, placement: Placement): Promise<Placed> {
  const { to, existing } = context.settings
  const { row, attributes, work } = placement
  const stored = await storedAt(context, row.destinationKey)
  // It has gone meanwhile.
  if (stored === undefined)
    return put(placement, to.capabilities.createOnly === true ? { ifNoneMatch: '*' } : {})
  const puts = possiblePuts(work)
  const isOtherSize = puts.length === 0 && placement.size !== undefined && placement.size !== stored.size
  const wanted = isOtherSize ? '' : await placement.content()
  const sums = isOtherSize ? new Set<string>() : await checksumsOf(context, stored, [wanted, ...puts])
  if (sums === undefined) throw changing(row.destinationKey)
  const isOurs = puts.some(sum => sums.has(sum)) || wasStreamed(stored, work)
  if (sums.has(wanted) && (!isOurs || hasAttributes(stored, attributes))) return { stored, isPlaced: true }
  if (!isOurs && existing !== 'overwrite') return { stored, isPlaced: false }
  const replaces = to.capabilities.conditionalReplace === true && stored.etag !== undefined
  try {
    return await put(placement, replaces ? { ifMatch: stored.etag! } : {})
  } catch (error) {
    if (isStorageError(error, 'precondition-failed')) throw changing(row.destinationKey)
    throw error
  }
}

/** Checksums of all that this migration may have put there. An upload whose parts had all arrived may have been completed. */
function possiblePuts({ puts = [], upload }: KnownWork): readonly string[] {
  const completed = upload === undefined ? undefined : uploadChecksum(upload.parts, upload.size)
  return completed === undefined ? puts : [...puts, completed]
}

/**
 * A body that was streamed had no checksum before it was sent. What has its size and came after it was begun is ours; a
 * stranger would have had to write as many bytes under the same key meanwhile.
 */
function wasStreamed(stored: ObjectInfo, { streamed }: KnownWork): boolean {
  if (streamed === undefined || stored.size !== streamed.size) return false
  return stored.lastModified !== undefined && stored.lastModified.getTime() >= streamed.since
}

/** Those of `wanted` that the stored bytes have; undefined where they change while they are read. */
async function checksumsOf(
  { settings: { to }, signal, pace }: CopyContext,
  stored: ObjectInfo,
  wanted: readonly string[],
): Promise<Set<string> | undefined> {
  const { checksum } = stored
  const isWhole = checksum?.algorithm === 'sha256' && checksum.compositeParts === undefined
  if (isWhole && wanted.every(text => parseChecksumText(text).kind === 'whole'))
    return new Set([`sha256:${checksum.value}`])
  const kinds = new Map<string, ReturnType<typeof checksumHasher>>()
  for (const text of wanted) {
    const like = parseChecksumText(text)
    const kind = like.kind === 'whole' ? '' : String(like.partBytes)
    if (!kinds.has(kind)) kinds.set(kind, checksumHasher(like))
  }
  await pace.request(signal)
  const download = await to.download(stored.key, { signal })
  if (stored.etag !== undefined && download.info.etag !== stored.etag) {
    download.cancel()
    return undefined
  }
  for await (const chunk of download) {
    for (const hasher of kinds.values()) hasher.update(chunk)
    await pace.bytes(chunk.length, signal)
  }
  return new Set([...kinds.values()].map(hasher => hasher.text()))
}

function changing(key: string): StorageError {
  return new StorageError('conflict', 'migrate: somebody else writes to this key of the destination', {
    operation: 'migrate',
    key,
  })
}
