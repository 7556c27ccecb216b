import { StorageError } from '../../core/errors.ts'
import { type Bucket, infoOf, isFailure } from './bucket.ts'
import { temporaryName } from './bucket-names.ts'
import { assertSays } from './object-info.ts'
import { deleteRows } from './remove-objects.ts'
import { StorageFailure } from './storage-failure.ts'

const NEEDS_UPDATE = "the bucket's row policies let this credential insert objects, but not update them"

/**
 * Fills a name under which nothing is stored, all or nothing: `fill` puts the object under a temporary name, a move
 * gives it the final one. The move is the only operation of the server that keeps two from winning; its uploads
 * and copies look first and write later. See docs/decisions/supabase-create-only.md.
 *
 * @throws `already-exists`
 */
export async function placeNew(
  bucket: Bucket,
  name: string,
  fill: (temporary: string) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Most losers lose here, before a byte is sent. A move that loses leaves bytes in the store behind the server
  // that no request can reach again.
  await assertFree(bucket, name, signal)
  const temporary = temporaryName(name)
  try {
    await fill(temporary)
  } catch (error) {
    await discard(bucket, temporary)
    throw error
  }
  await placeTemporary(bucket, temporary, name, signal)
}

/** The second half of `placeNew`: the temporary object is gone afterwards in any case. @throws `already-exists` */
export async function placeTemporary(
  bucket: Bucket,
  temporary: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await moveObject(bucket, temporary, name, signal)
  } catch (error) {
    if (await wasMoved(bucket, temporary, name, error)) return
    // It has just been written: what can't be found to be moved may not be updated.
    if (!isFailure(error, 'not-found')) throw error
    throw new StorageError('permission-denied', NEEDS_UPDATE, { cause: error })
  }
}

/** Onto a name that is free. @throws `already-exists`, by the server's own guard */
export async function moveObject(
  { id, api }: Bucket,
  from: string,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const json = { bucketId: id, sourceKey: from, destinationKey: to }
  assertSays(await api.json({ method: 'POST', path: '/object/move', json, signal }), 'message')
}

/** Removes an object that nobody else knows. Whether it was there; undefined where that can't be told. */
export async function discard(bucket: Bucket, temporary: string): Promise<boolean | undefined> {
  try {
    // Not under the caller's signal: an upload that was aborted is cleaned up, too.
    return (await deleteRows(bucket, [temporary], undefined)).has(temporary)
  } catch {
    return undefined
  }
}

/** @throws `already-exists` */
export async function assertFree(
  bucket: Bucket,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await infoOf(bucket, '', name, signal)
  } catch (error) {
    if (isFailure(error, 'not-found')) return
    throw error
  }
  throw new StorageError('already-exists', 'something is stored under this key')
}

/**
 * Takes the temporary object away after a move that failed. True where the move took place and only its answer was
 * lost: of a move and a delete of the same row one gets it, so a row that was deleted here can't be moved any more,
 * and one that was not there had been moved.
 */
async function wasMoved(bucket: Bucket, temporary: string, name: string, error: unknown): Promise<boolean> {
  const removed = await discard(bucket, temporary)
  const refused = error instanceof StorageFailure && error.status < 500
  if (refused || removed !== false) return false
  // Row policies may have kept it from being deleted.
  return !(await isThere(bucket, temporary)) && (await isThere(bucket, name))
}

async function isThere(bucket: Bucket, name: string): Promise<boolean> {
  return infoOf(bucket, '', name, undefined).then(
    () => true,
    () => false,
  )
}
