/**
 * The marker of a record set: an object in its root that says whose root this is, and in which epoch its records are. So
 * two databases never share a root, and records that were restored from a backup are noticed.
 */
import { isStorageError, StorageError } from '../core/errors.ts'
import { HELD } from '../sql/engine.ts'
import { currentEpoch } from './epoch.ts'
import { markerKey } from './marker-key.ts'
import type { RecordSet } from './record-set.ts'

export interface Marker {
  /** The identity of the record set: `record_set` of its tenant's row. */
  readonly recordSet: string
  readonly tenant: string
  readonly epoch: number
}

/** A marker is some hundred bytes; what is longer is none. */
const MOST_BYTES = 10_000

/** @throws `conflict` for an object that is no marker; what the store throws */
export async function readMarker(set: RecordSet): Promise<Marker | undefined> {
  const key = markerKey(await set.root())
  const found = await set.provider.download(key).catch(error => {
    if (isStorageError(error, 'not-found') && error.resource === undefined) return undefined
    throw error
  })
  if (found === undefined) return undefined
  if (found.info.size > MOST_BYTES) {
    found.cancel()
    throw unreadable(key)
  }
  const marker = parse(await found.text())
  if (marker === undefined) throw unreadable(key)
  return marker
}

/**
 * Sees to it that the root is this record set's, and says so in the bucket where nobody has yet. Returns the epoch.
 *
 * @throws `conflict` where the root is another database's, or the records are older than the bucket
 */
export async function checkMarker(set: RecordSet): Promise<number> {
  const { recordSet, root } = await set.ready()
  const epoch = await currentEpoch(set)
  await assertNoneAbove(set, root)
  let marker = await readMarker(set)
  if (marker === undefined && set.provider.capabilities.writable) {
    await writeMarker(set, epoch, true)
    marker = await readMarker(set)
  }
  if (marker === undefined) return epoch
  if (marker.recordSet !== recordSet)
    throw refuse(
      `the root ${JSON.stringify(root)} of the bucket belongs to another database (its tenant is ${JSON.stringify(marker.tenant)}); give each database a root of its own`,
    )
  if (marker.epoch > epoch)
    throw refuse(
      `the bucket has seen epoch ${marker.epoch} of these records, and the database is of epoch ${epoch}: it was restored or copied by other means than stowage. Raise its epoch, audit it, then go on`,
    )
  // Whoever raised the epoch did not get so far.
  if (marker.epoch < epoch && set.provider.capabilities.writable) await writeMarker(set, epoch, false)
  return epoch
}

/**
 * Begins a new epoch: after a backup was restored, or records moved to another database. Workers of the old one stop, and
 * nothing is collected until an audit was confirmed. Returns the new epoch.
 *
 * @throws `conflict` where the root is another database's, or somebody else raises the epoch at the same time
 */
export async function raiseEpoch(set: RecordSet): Promise<number> {
  const { recordSet, root } = await set.ready()
  const [before, marker] = await Promise.all([currentEpoch(set), readMarker(set)])
  if (marker !== undefined && marker.recordSet !== recordSet)
    throw refuse(
      `the root ${JSON.stringify(root)} of the bucket belongs to another database; nothing was changed`,
    )
  const epoch = Math.max(before, marker?.epoch ?? 0) + 1
  const settings = set.table('settings')
  const id = `${set.newId()}:epoch`
  const { applied } = await set.batch(
    [[`UPDATE ${settings} SET value = ? WHERE name = 'epoch' AND ${HELD}`, String(epoch), id]],
    {
      id,
      condition: [`SELECT 1 FROM ${settings} WHERE name = 'epoch' AND value = ?`, String(before)],
      locks: set.locks('epoch'),
    },
  )
  if (!applied)
    throw refuse('another process raises the epoch of these records; look which epoch they have now')
  await writeMarker(set, epoch, false)
  return epoch
}

async function writeMarker(set: RecordSet, epoch: number, isNew: boolean): Promise<void> {
  const { id, recordSet, root } = await set.ready()
  const marker: Marker = { recordSet, tenant: id, epoch }
  const createOnly = isNew && set.provider.capabilities.createOnly === true
  await set.provider
    .upload(markerKey(root), `${JSON.stringify(marker)}\n`, {
      contentType: 'application/json',
      ...(createOnly ? { ifNoneMatch: '*' as const } : {}),
    })
    .catch(error => {
      // Another process was first; what it wrote is read next.
      if (!(createOnly && isStorageError(error, 'already-exists', 'conflict'))) throw error
    })
}

/** A root within another database's would be orphans to that one. Within one database the registry sees to it. */
async function assertNoneAbove(set: RecordSet, root: string): Promise<void> {
  const folders = root.split('/').slice(0, -1)
  const above = folders.map((_, index) =>
    folders
      .slice(0, index)
      .map(name => `${name}/`)
      .join(''),
  )
  for (const result of await set.provider.infoMany(above.map(markerKey))) {
    if (result.ok)
      throw refuse(
        `the root ${JSON.stringify(root)} lies within the root of another database, whose marker is ${JSON.stringify(result.key)}; give each database a root of its own`,
      )
    if (result.error.code !== 'not-found' && result.error.code !== 'permission-denied') throw result.error
  }
}

function parse(text: string): Marker | undefined {
  try {
    const { recordSet, tenant, epoch } = JSON.parse(text)
    if (typeof recordSet !== 'string' || typeof tenant !== 'string' || !Number.isSafeInteger(epoch))
      return undefined
    return { recordSet, tenant, epoch }
  } catch {
    return undefined
  }
}

function unreadable(key: string): StorageError {
  return refuse(
    `${JSON.stringify(key)} is no marker of a record set; look at it, and remove it where it is a stranger's`,
  )
}

function refuse(problem: string): StorageError {
  return new StorageError('conflict', problem, { retryable: false })
}
