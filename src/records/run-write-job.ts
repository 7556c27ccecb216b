/** Keys that were set aside and never published: intents, signed uploads, and the tombstones of both. */
import { StorageError } from '../core/errors.ts'
import { HELD, type Statement } from '../sql/engine.ts'
import { putBack } from './job-failure.ts'
import type { Job } from './journal-row.ts'
import { lockWait, type RecordSet } from './record-set.ts'
import { removeBytes } from './remove-bytes.ts'

/**
 * Gives up new bytes whose writer is this call. Never throws: what can't be done now is found in the journal later.
 * A store that has answered may still get a late request of ours, so the key stays under watch as a tombstone.
 */
export async function abandonWrite(
  set: RecordSet,
  { id, physical }: { id: string; physical: string },
): Promise<void> {
  try {
    if (!(await doomKey(set, { id, fence: 1, physical }))) return
    const [job] = await set.jobs(['id = ?', id])
    if (job !== undefined) await runWriteJob(set, job)
  } catch (error) {
    set.emit({
      kind: 'job-failed',
      severity: 'warning',
      job: { id, kind: 'write', key: '', physical },
      attempts: 1,
      error: set.error(error, 'upload'),
    })
  }
}

/** The point of no return for a key that was set aside: nobody can publish or finalize it any more. */
export async function doomKey(
  set: RecordSet,
  { id, fence, physical }: { id: string; fence: number; physical: string },
): Promise<boolean> {
  const batch = `${set.newId()}:doom`
  const statement: Statement = [
    `UPDATE ${set.table('journal')} SET state = 'doomed' WHERE id = ? AND fence = ? AND state <> 'doomed' AND NOT EXISTS (SELECT 1 FROM ${set.table('files')} WHERE physical = ?) AND ${HELD}`,
    id,
    BigInt(fence),
    physical,
    batch,
  ]
  const { results } = await set.batch([statement], {
    id: batch,
    locks: set.locks(physical),
    lockWaitMs: lockWait(set),
  })
  if (results !== undefined) return results[0]!.changes === 1
  const [job] = await set.jobs(['id = ?', id], { consistency: 'linearizable' })
  return job?.state === 'doomed' && job.fence === fence
}

/** Deletes what lies under the key of a write, a staged upload or a tombstone, and watches it once more where it must. */
export async function runWriteJob(set: RecordSet, job: Job): Promise<'done' | 'later'> {
  if (job.kind !== 'tombstone' && job.state !== 'doomed') {
    const { id, fence, physical } = job
    if (!(await doomKey(set, { id, fence, physical }))) return 'later'
  }
  const [removal] = await removeBytes(set, [
    { physical: job.physical, versionId: await versionOf(set, job.physical) },
  ])
  if (removal!.status !== 'gone') {
    await putBack(set, job, removal!.error, { refused: removal!.status === 'refused' })
    return 'later'
  }
  try {
    await abortUnfinished(set, job.physical)
  } catch (error) {
    await putBack(set, job, set.error(error, 'abortUpload', job.physical))
    return 'later'
  }
  await endWrite(set, job)
  return 'done'
}

/** In a versioned bucket a delete without a version only hides: which one lies there is asked first. */
async function versionOf(set: RecordSet, physical: string): Promise<string | undefined> {
  const { provider } = set
  if (!provider.capabilities.versionedDelete) return undefined
  // What can't be told now is deleted without a version; then the answer says whether that was enough.
  return provider.info(physical).then(
    info => info.versionId,
    () => undefined,
  )
}

/** Uploads in parts to this key: their parts cost space and are in no list. */
async function abortUnfinished(set: RecordSet, physical: string): Promise<void> {
  const { provider } = set
  if (!provider.capabilities.unfinishedUploads || !provider.capabilities.writable) return
  for await (const { key, uploadId } of provider.unfinishedUploads({ prefix: physical }))
    if (key === physical) await provider.abortUpload(key, uploadId)
}

/** A tombstone has been swept for the last time; what was no tombstone becomes one. */
async function endWrite(set: RecordSet, job: Job): Promise<void> {
  const journal = set.table('journal')
  const fence = BigInt(job.fence)
  const dueAt = BigInt((await set.clock.now()) + set.settings.lateMs)
  await set.write([
    job.kind === 'tombstone'
      ? [`DELETE FROM ${journal} WHERE id = ? AND fence = ?`, job.id, fence]
      : [
          `UPDATE ${journal} SET kind = 'tombstone', owner = '', attempts = 0, refusals = 0, error = NULL, due_at = ? WHERE id = ? AND fence = ?`,
          dueAt,
          job.id,
          fence,
        ],
  ])
}

/** @throws `pending` for callers that wait on it */
export function stillPending(
  operation: string,
  key: string,
  operationId: string,
  cause: StorageError,
): StorageError {
  return new StorageError(
    'pending',
    `${operation}: not finished yet, and it goes on by itself (operation ${operationId}): ${cause.message}`,
    { operation, key, cause, retryable: false },
  )
}
