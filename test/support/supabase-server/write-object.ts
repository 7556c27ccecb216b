/** The two halves of every write: the check that runs before the bytes, and the commit that checks nothing. */
import { plainEtag, uploadEtag } from './etag.ts'
import { requireStorable } from './object-keys.ts'
import { type Caller, may, ownerOf } from './row-policies.ts'
import { failures } from './storage-failure.ts'
import { type BlobFacts, iso, type StorageState, type StoredObject } from './storage-state.ts'

/** What a probing INSERT in a rolled-back transaction would say. */
export function requireWritable(
  state: StorageState,
  caller: Caller,
  bucketId: string,
  name: string,
  upsert: boolean,
): void {
  const row = { name, owner: ownerOf(caller) }
  const allowed = (['insert', ...(upsert ? (['update', 'select'] as const) : [])] as const).every(action =>
    may(state, caller, action, bucketId, row),
  )
  if (!allowed) throw failures.rowLevelSecurity()
  if (!state.buckets.has(bucketId)) throw failures.noSuchRelation()
  if (!upsert && state.find(bucketId, name)) throw failures.keyExists()
}

/** What signing an upload asks for: leave to insert, and no such object unless it may be replaced. */
export function requireInsertable(
  state: StorageState,
  caller: Caller,
  bucketId: string,
  name: string,
  upsert: boolean,
): void {
  if (!may(state, caller, 'insert', bucketId, { name, owner: ownerOf(caller) }))
    throw failures.rowLevelSecurity()
  if (!state.buckets.has(bucketId)) throw failures.noSuchRelation()
  if (!upsert && state.find(bucketId, name)) throw failures.keyExists()
}

export interface Blob {
  bytes: Buffer
  mimetype: string
  cacheControl: string
  xRobotsTag?: string
  eTag?: string
}

/** S3 tells the time of a PUT in whole seconds; an empty file and a copy carry milliseconds. */
export function blobFacts(state: StorageState, blob: Blob): BlobFacts {
  const { bytes } = blob
  const at = state.now()
  return {
    eTag: blob.eTag ?? uploadEtag(bytes, state.blobStore),
    size: bytes.length,
    mimetype: blob.mimetype,
    cacheControl: blob.cacheControl,
    lastModified: iso(state.blobStore === 's3' && bytes.length > 0 ? at - (at % 1000) : at),
    contentLength: bytes.length,
    httpStatusCode: 200,
    ...(blob.xRobotsTag === undefined ? {} : { xRobotsTag: blob.xRobotsTag }),
  }
}

export function copiedFacts(state: StorageState, facts: BlobFacts, bytes: Buffer): BlobFacts {
  return { ...facts, eTag: plainEtag(bytes), lastModified: iso(state.now()) }
}

export async function storeBlob(state: StorageState, bucketId: string, name: string): Promise<void> {
  if (state.faults.storeDown) throw failures.storeDown()
  requireStorable(state, bucketId, name)
  await state.faults.beforeCommit?.(`${bucketId}/${name}`)
}

export function requireUnlocked(state: StorageState, bucketId: string, name: string): void {
  if (state.faults.lockedObjects.has(`${bucketId}/${name}`)) throw failures.lockTimeout()
}

export function commit(
  state: StorageState,
  object: Pick<StoredObject, 'bucketId' | 'name' | 'owner' | 'blob' | 'userMetadata' | 'bytes'> & {
    version?: string
  },
): StoredObject {
  requireUnlocked(state, object.bucketId, object.name)
  return state.upsert(object)
}
