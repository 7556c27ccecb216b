import { StorageError } from '../core/errors.ts'
import type { ObjectInfo } from '../core/provider.ts'
import { HELD, type Statement } from '../sql/engine.ts'
import type { Unrecorded } from './compare-bytes.ts'
import { insertJob, type Job } from './journal-row.ts'
import { forgetSightings } from './orphan-sightings.ts'
import { placeholders, type RecordSet } from './record-set.ts'
import { runRemoveJobs } from './run-remove-jobs.ts'

export interface OrphanRemoval {
  /** Records of another epoch know others. */
  readonly epoch: number
  /** Milliseconds since 1970, the store's clock: what was written later stays. */
  readonly cutOff: number
  /** Milliseconds that the copies stay in quarantine. */
  readonly keepMs: number
  readonly signal: AbortSignal | undefined
}

const BATCH = 100

/**
 * Dooms orphans, copies them to quarantine and deletes them. Each is looked at once more before it is doomed; from there
 * on the journal has it, and a worker finishes what is interrupted.
 */
export async function removeOrphans(
  set: RecordSet,
  orphans: readonly Unrecorded[],
  removal: OrphanRemoval,
): Promise<{ removed: number; pending: number }> {
  const counts = { removed: 0, pending: 0 }
  for (let at = 0; at < orphans.length; at += BATCH) {
    if (removal.signal?.aborted)
      throw new StorageError('aborted', 'collect: it was ended by its caller', {
        operation: 'collect',
        cause: removal.signal.reason,
      })
    const same = await stillTheSame(set, orphans.slice(at, at + BATCH), removal)
    const jobs = await doom(set, same, removal)
    const outcomes = await runRemoveJobs(set, jobs, { signal: removal.signal })
    for (const { status } of outcomes.values()) counts[status === 'done' ? 'removed' : 'pending']++
  }
  return counts
}

/** As the store has them now; those that are gone or were written again are left out. */
async function stillTheSame(
  set: RecordSet,
  orphans: readonly Unrecorded[],
  { cutOff, signal }: OrphanRemoval,
): Promise<ObjectInfo[]> {
  const results = await set.provider.infoMany(
    orphans.map(({ object }) => object.key),
    { signal },
  )
  const same: ObjectInfo[] = []
  const others: string[] = []
  for (const [index, result] of results.entries()) {
    const { object } = orphans[index]!
    if (!result.ok && result.error.code !== 'not-found') throw result.error
    const isSame =
      result.ok &&
      result.value.size === object.size &&
      (object.etag === undefined || result.value.etag === object.etag) &&
      (result.value.lastModified === undefined || result.value.lastModified.getTime() <= cutOff)
    if (isSame) same.push(result.value)
    else others.push(object.key)
  }
  await forgetSightings(set, others)
  return same
}

/** The point of no return: one batch, and each only where nothing refers to the key. */
async function doom(
  set: RecordSet,
  objects: readonly ObjectInfo[],
  { epoch, keepMs }: OrphanRemoval,
): Promise<Job[]> {
  if (objects.length === 0) return []
  const root = await set.root()
  const now = await set.clock.now()
  const operation = set.newId()
  const batch = `${operation}:doom`
  const journal = set.table('journal')
  const inserts = objects.map(({ key, versionId }) =>
    insertJob(
      journal,
      {
        id: set.newId(),
        operation,
        kind: 'orphan',
        state: 'doomed',
        key: key.slice(root.length),
        physical: key,
        ...(versionId === undefined ? {} : { versionId }),
        owner: set.owner,
        attempts: 1,
        dueAt: now,
        createdAt: now,
        data: { keepMs: keepMs + set.settings.keepForBackupsMs },
      },
      batch,
      referredTo(set, key),
    ),
  )
  const keys = objects.map(({ key }) => key)
  const forget: Statement = [
    `DELETE FROM ${set.table('orphans')} WHERE physical IN (${placeholders(keys)}) AND ${HELD}`,
    ...keys,
    batch,
  ]
  const condition: Statement = [
    `SELECT 1 FROM ${set.table('settings')} WHERE name = 'epoch' AND value = ?`,
    String(epoch),
  ]
  const { applied } = await set.batch([...inserts, forget], {
    id: batch,
    condition,
    locks: set.locks(...keys),
  })
  if (!applied)
    throw new StorageError(
      'conflict',
      'collect: the records were restored or moved meanwhile; open them again',
      {
        operation: 'collect',
        retryable: false,
      },
    )
  return set.jobs(["operation = ? AND kind = 'orphan' AND owner = ?", operation, set.owner], {
    consistency: 'linearizable',
  })
}

/** A copy in quarantine is named by the job that makes it, before it has a row of its own. */
function referredTo(set: RecordSet, physical: string): Statement {
  const [files, journal, trash] = [set.table('files'), set.table('journal'), set.table('trash')]
  return [
    `SELECT 1 FROM ${files} WHERE physical = ? UNION ALL SELECT 1 FROM ${journal} WHERE physical = ? OR id = ? UNION ALL SELECT 1 FROM ${trash} WHERE trashed = ?`,
    physical,
    physical,
    physical.slice(physical.lastIndexOf('/') + 1),
    physical,
  ]
}
