/** What a person does about jobs that don't end by themselves. */
import { StorageError } from '../core/errors.ts'
import { JOB_COLUMNS, type Job, type JobKind, jobFrom } from './journal-row.ts'
import type { RecordSet } from './record-set.ts'

/** A job as `stowage doctor` shows it. */
export interface JobStatus {
  readonly id: string
  readonly operation: string
  readonly kind: JobKind
  readonly key: string
  readonly physical: string
  /** `waiting` for its time, `running`, `failed` and to be tried again, or `stuck`: tried too often. */
  readonly status: 'waiting' | 'running' | 'failed' | 'stuck'
  readonly attempts: number
  readonly error: string | undefined
  /** Not before, by the store's clock. */
  readonly dueAt: Date
  readonly createdAt: Date
}

export interface JobsOptions {
  /** Only those that need a person. */
  stuck?: boolean
  /** At most so many, the oldest first. Default: 1,000. */
  limit?: number
}

export async function listJobs(
  set: RecordSet,
  { stuck = false, limit = 1000 }: JobsOptions = {},
): Promise<JobStatus[]> {
  const rows = await set.query([
    `SELECT ${JOB_COLUMNS} FROM ${set.table('journal')} WHERE stuck >= ? ORDER BY created_at, id LIMIT ?`,
    stuck ? 1n : 0n,
    BigInt(limit),
  ])
  return rows.map(row => statusOf(jobFrom(row)))
}

function statusOf(job: Job): JobStatus {
  const { id, operation, kind, key, physical, attempts, error } = job
  const status = job.stuck
    ? 'stuck'
    : job.owner !== ''
      ? 'running'
      : error === undefined
        ? 'waiting'
        : 'failed'
  return {
    id,
    operation,
    kind,
    key,
    physical,
    status,
    attempts,
    error,
    dueAt: new Date(job.dueAt),
    createdAt: new Date(job.createdAt),
  }
}

/** Makes a job due now, with all its attempts before it. @throws `not-found` */
export async function retryJob(set: RecordSet, id: string): Promise<void> {
  const { results } = await set.write([
    [
      `UPDATE ${set.table('journal')} SET stuck = 0, attempts = 0, refusals = 0, answered = CASE WHEN kind = 'delete' THEN 1 ELSE answered END, due_at = ? WHERE id = ? AND owner = ''`,
      BigInt(await set.clock.now()),
      id,
    ],
  ])
  if (results?.[0]?.changes === 0) throw await notThere(set, id)
}

/**
 * Gives a job up, where nothing is lost by it: the message to a CDN that is not there any more. Everything else is owed
 * to somebody's bytes. @throws `not-found`; `conflict` for a job that can't be given up, with what to do instead
 */
export async function cancelJob(set: RecordSet, id: string): Promise<void> {
  const { results } = await set.write([
    [
      `DELETE FROM ${set.table('journal')} WHERE id = ? AND owner = '' AND (kind IN ('cdn', 'tombstone') OR (kind IN ('replaced', 'orphan', 'quarantine') AND state <> 'doomed'))`,
      id,
    ],
  ])
  if (results?.[0]?.changes !== 0) return
  const [job] = await set.jobs(['id = ?', id])
  if (job === undefined) throw await notThere(set, id)
  throw new StorageError(
    'conflict',
    `a job of kind ${job.kind} that is ${job.state} can't be cancelled: its bytes may be half gone. Mend what it says and retry it`,
    { operation: 'cancelJob', key: job.key, retryable: false },
  )
}

async function notThere(set: RecordSet, id: string): Promise<StorageError> {
  const [job] = await set.jobs(['id = ?', id])
  if (job === undefined)
    return new StorageError('not-found', `there is no job ${id}`, { operation: 'doctor' })
  return new StorageError('conflict', 'the job is being worked on; try again when that has ended', {
    operation: 'doctor',
    key: job.key,
  })
}
