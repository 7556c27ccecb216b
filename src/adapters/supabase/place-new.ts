import { StorageError } from '../../core/errors.ts'
import { type Bucket, infoOf, isFailure } from './bucket.ts'
import { temporaryName } from './bucket-names.ts'
import { deleteRows } from './remove-objects.ts'
import { StorageFailure } from './storage-failure.ts'

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
  try {
    await moveObject(bucket, temporary, name, signal)
  } catch (error) {
    // Of a move and a delete of the same row one gets it: a row that was deleted here can't be moved any more,
    // one that was not there had been moved when the answer was lost.
    const removed = await discard(bucket, temporary)
    if (removed === false && !isDefinite(error)) return
    throw error
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
  await api.json({ method: 'POST', path: '/object/move', json, signal })
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

async function assertFree(bucket: Bucket, name: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await infoOf(bucket, '', name, signal)
  } catch (error) {
    if (isFailure(error, 'not-found')) return
    throw error
  }
  throw new StorageError('already-exists', 'something is stored under this key')
}

/** A refusal is one; a connection that broke or a server that failed leaves it open what became of the move. */
function isDefinite(error: unknown): boolean {
  return error instanceof StorageFailure && error.status < 500 && !isFailure(error, 'not-found')
}
