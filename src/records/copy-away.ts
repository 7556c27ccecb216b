import { mapBounded } from '../core/batches.ts'
import { isStorageError, StorageError } from '../core/errors.ts'
import type { ObjectInfo, OperationOptions } from '../core/provider.ts'
import { HELD, type Statement } from '../sql/engine.ts'
import { insertJob, type Job } from './journal-row.ts'
import { reservedKey, trashKey } from './physical-key.ts'
import type { RecordSet } from './record-set.ts'

const CONCURRENCY = 8

/**
 * Copies bytes that must be kept a while to a key that was never handed out, before the original goes: so the URLs that
 * were signed for it die at once. What needs no copy, or has one, passes through.
 */
export function copyAway(
  set: RecordSet,
  jobs: readonly Job[],
  limits: OperationOptions = {},
): Promise<{ job: Job; error?: StorageError }[]> {
  return mapBounded(jobs, CONCURRENCY, async job => {
    if (job.data.copied || !(job.data.restorable || job.kind === 'orphan')) return { job }
    try {
      return { job: await copyOne(set, job, limits) }
    } catch (error) {
      return { job, error: set.error(error, 'copy', job.physical) }
    }
  })
}

async function copyOne(set: RecordSet, job: Job, limits: OperationOptions): Promise<Job> {
  const root = await set.root()
  const to =
    job.kind === 'orphan'
      ? reservedKey(root, 'quarantine', job.id)
      : trashKey(root, job.operation, job.generation ?? job.id)
  const absent = (error: unknown) => {
    if (isStorageError(error, 'not-found') && error.resource === undefined) return undefined
    throw error
  }
  // Gone already means that there is nothing to keep, or that an attempt whose answer was lost deleted it after its copy.
  const copy =
    (await set.provider.copy(job.physical, to, limits).catch(absent)) ??
    (await set.provider.info(to, limits).catch(absent))
  if (copy === undefined && !set.settings.seesEverything)
    throw new StorageError(
      'permission-denied',
      'copy: the store says missing, but this credential may not see everything',
      { operation: 'copy', key: job.physical, provider: set.provider.name, retryable: false },
    )
  const copied = { ...job, data: { ...job.data, copied: true } }
  await recordCopy(set, copied, to, copy)
  return copied
}

/** One batch: the copy is known, and will be deleted in its time. Without it the original must not go. */
async function recordCopy(set: RecordSet, job: Job, to: string, copy: ObjectInfo | undefined): Promise<void> {
  const journal = set.table('journal')
  const id = `${set.newId()}:copied`
  const now = await set.clock.now()
  const { restoreMs, replaceGraceMs, keepForBackupsMs } = set.settings
  const trash = job.kind === 'delete'
  const end = {
    id: `${job.id}:copy`,
    operation: job.operation,
    kind: trash ? 'trash' : 'quarantine',
    state: 'waiting',
    key: job.key,
    physical: to,
    generation: job.generation,
    versionId: copy?.versionId,
    dueAt: now + (job.data.keepMs ?? (trash ? restoreMs : replaceGraceMs) + keepForBackupsMs),
    createdAt: now,
  } as const
  const condition: Statement = [
    `SELECT 1 FROM ${journal} WHERE id = ? AND fence = ?`,
    job.id,
    BigInt(job.fence),
  ]
  const statements: Statement[] = [
    [`UPDATE ${journal} SET data = ? WHERE id = ? AND ${HELD}`, JSON.stringify(job.data), job.id, id],
  ]
  if (copy !== undefined) statements.push(insertJob(journal, end, id))
  if (trash)
    statements.push(
      copy !== undefined
        ? [
            `UPDATE ${set.table('trash')} SET ready = 1, expires_at = ? WHERE generation = ? AND ${HELD}`,
            BigInt(end.dueAt),
            job.generation ?? '',
            id,
          ]
        : [`DELETE FROM ${set.table('trash')} WHERE generation = ? AND ${HELD}`, job.generation ?? '', id],
    )
  const { applied } = await set.batch(statements, { id, condition })
  if (applied) return
  throw new StorageError('conflict', 'another process has taken the job over and copies by itself', {
    operation: 'copy',
    key: job.physical,
  })
}
