import type { Row, SqlValue, Statement } from '../sql/engine.ts'
import { HELD } from '../sql/engine.ts'

/**
 * Why bytes are touched.
 *
 * - `write`: a key was set aside for new bytes. While `open`, its writer may publish it.
 * - `staged`: a key that a browser may upload to. While `open`, the backend may finalize it; `finalized` it is swept.
 * - `replaced`: bytes that a replace, a move or a finalize has made useless.
 * - `delete`: bytes of a deleted file, whose record is hidden.
 * - `trash`: the copy of a deleted file that could be restored.
 * - `orphan`: an object without a record, on its way to quarantine; `quarantine`: its copy there.
 * - `tombstone`: a key that was given up; swept again for a request that arrives late.
 * - `cdn`: what the CDN must no longer serve.
 */
export type JobKind =
  | 'write'
  | 'staged'
  | 'replaced'
  | 'delete'
  | 'trash'
  | 'orphan'
  | 'quarantine'
  | 'tombstone'
  | 'cdn'

/** `doomed` is the point of no return: from there on nobody can publish these bytes, and they may be deleted. */
export type JobState = 'open' | 'waiting' | 'doomed' | 'finalized'

/** One effect on bytes that is under way or owed. */
export interface Job {
  readonly id: string
  /** The call that caused it. */
  readonly operation: string
  readonly kind: JobKind
  readonly state: JobState
  readonly key: string
  readonly physical: string
  readonly generation: string | undefined
  readonly versionId: string | undefined
  /** Who works on it; `''`: nobody. */
  readonly owner: string
  /** Grows with each owner. */
  readonly fence: number
  /** Changes while the owner is alive. */
  readonly beat: number
  /** Milliseconds since 1970 by the store's clock: not before. */
  readonly dueAt: number
  readonly attempts: number
  /** Attempts that the store definitely refused. */
  readonly refusals: number
  /** Whether the caller has been told `pending`. */
  readonly answered: boolean
  readonly stuck: boolean
  readonly error: string | undefined
  readonly data: JobData
  readonly createdAt: number
}

export interface JobData {
  /** The bytes have a key that is not of our form: it is retired with them. */
  readonly adopted?: boolean
  /** The deleted file can be restored: its bytes go to the trash before they go. */
  readonly restorable?: boolean
  /** Milliseconds that the copy stays in the trash or in quarantine: whoever finishes the job may have other options. */
  readonly keepMs?: number
  /** The copy in trash or quarantine is there and recorded: what remains is to delete the original. */
  readonly copied?: boolean
  /** What a signed upload was signed for. */
  readonly staged?: { readonly contentType?: string; readonly size?: number; readonly maxSize?: number }
  /** What it was finalized as. */
  readonly finalized?: string
  /** How often the CDN has been told. */
  readonly told?: number
}

export const JOB_COLUMNS =
  'id, operation, kind, state, key, physical, generation, version_id, owner, fence, beat, due_at, attempts, refusals, answered, stuck, error, data, created_at'

export function jobFrom(row: Row): Job {
  const text = (value: SqlValue | undefined) =>
    value === null || value === undefined ? undefined : String(value)
  return {
    id: String(row.id),
    operation: String(row.operation),
    kind: String(row.kind) as JobKind,
    state: String(row.state) as JobState,
    key: String(row.key),
    physical: String(row.physical),
    generation: text(row.generation),
    versionId: text(row.version_id),
    owner: String(row.owner),
    fence: Number(row.fence),
    beat: Number(row.beat),
    dueAt: Number(row.due_at),
    attempts: Number(row.attempts),
    refusals: Number(row.refusals),
    answered: row.answered === 1n,
    stuck: row.stuck === 1n,
    error: text(row.error),
    data: JSON.parse(String(row.data)) as JobData,
    createdAt: Number(row.created_at),
  }
}

/** A job that nobody has tried yet. */
export type NewJob = Pick<
  Job,
  'id' | 'operation' | 'kind' | 'state' | 'key' | 'physical' | 'dueAt' | 'createdAt'
> &
  Partial<Pick<Job, 'generation' | 'versionId' | 'owner' | 'attempts' | 'data'>>

/** Adds a job, within a guarded batch: only where `unless` gives no row. */
export function insertJob(journal: string, job: NewJob, batch: string, unless?: Statement): Statement {
  const [exception, ...parameters] = unless ?? ['']
  const where = unless === undefined ? HELD : `NOT EXISTS (${exception}) AND ${HELD}`
  return [
    `INSERT INTO ${journal} (${JOB_COLUMNS}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?, 0, 0, 0, NULL, ?, ? WHERE ${where}`,
    job.id,
    job.operation,
    job.kind,
    job.state,
    job.key,
    job.physical,
    job.generation ?? null,
    job.versionId ?? null,
    job.owner ?? '',
    BigInt(job.dueAt),
    BigInt(job.attempts ?? 0),
    JSON.stringify(job.data ?? {}),
    BigInt(job.createdAt),
    ...parameters,
    batch,
  ]
}

/** What a job that is made of a record's row has in common with others of its batch. */
export interface JobsOfRecords {
  readonly operation: string
  readonly kind: 'replaced' | 'delete'
  readonly state: 'waiting' | 'doomed'
  readonly owner: string
  readonly attempts: number
  readonly dueAt: number
  readonly createdAt: number
  /** Milliseconds that the copies stay in the trash; undefined: there are none. */
  readonly keepMs?: number | undefined
}

/** Adds a job for each record of `files` that `where` names: its id is `<operation>:<generation>`. */
export function insertJobsOfRecords(
  journal: string,
  files: string,
  jobs: JobsOfRecords,
  [where, ...parameters]: Statement,
  batch: string,
): Statement {
  const data: JobData = jobs.keepMs === undefined ? {} : { restorable: true, keepMs: jobs.keepMs }
  return [
    `INSERT INTO ${journal} (${JOB_COLUMNS}) SELECT ? || ':' || generation, ?, ?, ?, key, physical, generation, version_id, ?, 1, 0, ?, ?, 0, 0, 0, NULL, CASE WHEN adopted = 1 THEN ? ELSE ? END, ? FROM ${files} WHERE ${where} AND ${HELD}`,
    jobs.operation,
    jobs.operation,
    jobs.kind,
    jobs.state,
    jobs.owner,
    BigInt(jobs.dueAt),
    BigInt(jobs.attempts),
    JSON.stringify({ ...data, adopted: true }),
    JSON.stringify(data),
    BigInt(jobs.createdAt),
    ...parameters,
    batch,
  ]
}
