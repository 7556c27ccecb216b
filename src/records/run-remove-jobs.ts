/** Bytes that must go: of deleted and replaced files, of expired trash, of quarantine. */
import { isStorageError, type StorageError } from '../core/errors.ts'
import type { OperationOptions } from '../core/provider.ts'
import { HELD, type Statement } from '../sql/engine.ts'
import { copyAway } from './copy-away.ts'
import { jobName, putBack } from './job-failure.ts'
import { insertJob, type Job } from './journal-row.ts'
import { trashKey } from './physical-key.ts'
import { lockWait, placeholders, type RecordSet } from './record-set.ts'
import { removeBytes } from './remove-bytes.ts'

/**
 * What became of a job. `done`: the bytes are gone. `returned`: the store refused for good, the file is live again.
 * `later`: it stays in the journal.
 */
export type JobOutcome =
  | { readonly status: 'done' }
  | { readonly status: 'returned' | 'later'; readonly error: StorageError }

export interface RemoveOptions extends OperationOptions {
  /**
   * Whether a file may be live again where the store refuses: only in the call that deletes it, which can tell its
   * caller so. Default: false.
   */
  mayReturn?: boolean
}

/** Dooms, copies away what is kept, deletes, and closes in one batch what is gone. An outcome per job, by its id. */
export async function runRemoveJobs(
  set: RecordSet,
  jobs: readonly Job[],
  { mayReturn = false, ...limits }: RemoveOptions = {},
): Promise<Map<string, JobOutcome>> {
  const outcomes = new Map<string, JobOutcome>()
  const later = async (job: Job, error: StorageError, refused = false) => {
    await putBack(set, job, error, { refused })
    outcomes.set(job.id, { status: 'later', error })
  }
  const doomed = await doomJobs(set, jobs)
  for (const job of jobs) if (!doomed.includes(job)) outcomes.set(job.id, { status: 'done' })

  const ready: Job[] = []
  for (const { job, error } of await copyAway(set, doomed, limits)) {
    if (error === undefined) ready.push(job)
    else await later(job, error)
  }
  const removals = await removeBytes(set, ready, limits)
  const gone = ready.filter((_, index) => removals[index]!.status === 'gone')
  await closeJobs(set, gone)
  for (const job of gone) outcomes.set(job.id, { status: 'done' })
  for (const [index, job] of ready.entries()) {
    const removal = removals[index]!
    if (removal.status === 'gone') continue
    if (mayReturn && removal.status === 'refused' && (await returnToLive(set, job)))
      outcomes.set(job.id, { status: 'returned', error: removal.error })
    else await later(job, removal.error, removal.status === 'refused')
  }
  return outcomes
}

/**
 * The point of no return, for those that have not passed it: one batch, and only where no record refers to the bytes.
 * What a record does refer to is no job any more.
 */
async function doomJobs(set: RecordSet, jobs: readonly Job[]): Promise<Job[]> {
  const open = jobs.filter(job => job.state !== 'doomed')
  if (open.length === 0) return [...jobs]
  const [journal, files] = [set.table('journal'), set.table('files')]
  const id = `${set.newId()}:doom`
  const statements = open.map(
    (job): Statement => [
      `UPDATE ${journal} SET state = 'doomed' WHERE id = ? AND fence = ? AND NOT EXISTS (SELECT 1 FROM ${files} WHERE physical = ?) AND ${HELD}`,
      job.id,
      BigInt(job.fence),
      job.physical,
      id,
    ],
  )
  const locks = set.locks(...open.map(job => job.physical))
  await set.batch(statements, { id, locks, lockWaitMs: lockWait(set) })
  const now = await set.jobs(
    [
      `id IN (${placeholders(open)}) AND owner = ? AND state = 'doomed'`,
      ...open.map(job => job.id),
      set.owner,
    ],
    { consistency: 'linearizable' },
  )
  const doomed = new Set(now.map(job => job.id))
  const referred = open.filter(job => !doomed.has(job.id))
  await closeReferred(set, referred)
  return jobs.filter(job => !referred.includes(job))
}

/** A record refers to these bytes, so that they must stay: the job ends, and somebody should know. */
async function closeReferred(set: RecordSet, jobs: readonly Job[]): Promise<void> {
  for (const job of jobs) {
    const { results } = await set.write([
      [
        `DELETE FROM ${set.table('journal')} WHERE id = ? AND fence = ? AND EXISTS (SELECT 1 FROM ${set.table('files')} WHERE physical = ?)`,
        job.id,
        BigInt(job.fence),
        job.physical,
      ],
    ])
    if (results?.[0]?.changes !== 1) continue
    set.emit({ kind: 'still-referred', severity: 'alarm', job: jobName(job) })
  }
}

/** One batch: hidden records go, adopted keys are retired for ever, jobs end or become what the CDN must be told. */
async function closeJobs(set: RecordSet, jobs: readonly Job[]): Promise<void> {
  if (jobs.length === 0) return
  const [journal, files, metadata] = [set.table('journal'), set.table('files'), set.table('metadata')]
  const id = `${set.newId()}:close`
  const now = BigInt(await set.clock.now())
  const statements: Statement[] = []
  for (const some of chunks(jobs)) {
    const physicals = some.map(job => job.physical)
    const hidden = `physical IN (${placeholders(physicals)}) AND state = 'deleting'`
    statements.push(
      [
        `DELETE FROM ${metadata} WHERE key IN (SELECT key FROM ${files} WHERE ${hidden}) AND ${HELD}`,
        ...physicals,
        id,
      ],
      [`DELETE FROM ${files} WHERE ${hidden} AND ${HELD}`, ...physicals, id],
    )
    const [told, others] = partition(some, mayBeHandedOut)
    const [watched] = partition(others, job => mayArriveLate(set, job, now))
    if (told.length > 0)
      statements.push([
        `UPDATE ${journal} SET kind = 'cdn', state = 'waiting', owner = '', fence = fence + 1, due_at = ?, attempts = 0, refusals = 0, error = NULL, stuck = 0, data = '{}' WHERE id IN (${placeholders(told)}) AND kind <> 'cdn'${handedOut(set)} AND ${HELD}`,
        now,
        ...told.map(job => job.id),
        id,
      ])
    if (watched.length > 0)
      statements.push([
        `UPDATE ${journal} SET kind = 'tombstone', owner = '', fence = fence + 1, due_at = ?, attempts = 0, refusals = 0, error = NULL WHERE id IN (${placeholders(watched)}) AND kind IN ('trash', 'quarantine') AND ${HELD}`,
        now + BigInt(set.settings.lateMs),
        ...watched.map(job => job.id),
        id,
      ])
    // What has become something else by now stays.
    statements.push([
      `DELETE FROM ${journal} WHERE id IN (${placeholders(some)}) AND kind NOT IN ('cdn', 'tombstone') AND ${HELD}`,
      ...some.map(job => job.id),
      id,
    ])
  }
  for (const { physical } of jobs.filter(job => job.data.adopted))
    statements.push([
      `INSERT INTO ${set.table('retired')} (physical, at) SELECT ?, ? WHERE ${HELD} ON CONFLICT (physical) DO NOTHING`,
      physical,
      now,
      id,
    ])
  for (const { physical } of jobs.filter(job => job.kind === 'trash'))
    statements.push([`DELETE FROM ${set.table('trash')} WHERE trashed = ? AND ${HELD}`, physical, id])
  await set.batch(statements, { id, lockWaitMs: lockWait(set) })
  for (const job of jobs) set.emit({ kind: 'job-done', severity: 'info', job: jobName(job) })
}

/** A copy that is as young as this may have been asked for twice, and the first request be on its way still. */
function mayArriveLate({ settings }: RecordSet, { kind, createdAt }: Job, now: bigint): boolean {
  return (kind === 'trash' || kind === 'quarantine') && createdAt + settings.lateMs > Number(now)
}

/**
 * Which of them the CDN must be told of. Who has one tells it of all; who has none, as a command line, leaves a message for
 * those whose URLs a process with a CDN has given out.
 */
function handedOut(set: RecordSet): string {
  if (set.settings.cdn !== undefined) return ''
  const table = set.table('handed_out')
  return ` AND EXISTS (SELECT 1 FROM ${table} WHERE ${table}.physical = ${set.table('journal')}.physical)`
}

/** Copies in trash and quarantine never had a URL. */
function mayBeHandedOut({ kind }: Job): boolean {
  return kind === 'delete' || kind === 'replaced'
}

/**
 * The file is live again, where that is certain to be true: every attempt was refused by the store, nobody else has
 * taken the job, the caller was never told `pending`, and the store still shows the bytes.
 */
async function returnToLive(set: RecordSet, job: Job): Promise<boolean> {
  if (job.kind !== 'delete' || job.answered || job.attempts !== job.refusals + 1) return false
  const seen = await set.provider.info(job.physical).catch(error => {
    if (isStorageError(error)) return undefined
    throw error
  })
  if (seen === undefined) return false
  const [journal, files] = [set.table('journal'), set.table('files')]
  const id = `${set.newId()}:return`
  const condition: Statement = [
    `SELECT 1 FROM ${journal} WHERE id = ? AND fence = ? AND answered = 0 AND attempts = refusals + 1 AND EXISTS (SELECT 1 FROM ${files} WHERE physical = ? AND state = 'deleting')`,
    job.id,
    BigInt(job.fence),
    job.physical,
  ]
  const statements: Statement[] = [
    [
      `UPDATE ${files} SET state = 'live', operation = NULL WHERE physical = ? AND state = 'deleting' AND ${HELD}`,
      job.physical,
      id,
    ],
    [`DELETE FROM ${journal} WHERE id = ? AND ${HELD}`, job.id, id],
  ]
  if (job.data.restorable) statements.push(...(await forgetTrash(set, job, id)))
  const { applied } = await set.batch(statements, { id, condition, locks: set.locks(job.key, job.physical) })
  return applied
}

/** The copy in the trash is not wanted: it goes, and no row says that it could be restored. */
async function forgetTrash(set: RecordSet, job: Job, batch: string): Promise<Statement[]> {
  const { generation = '', key } = job
  const trashed = trashKey(await set.root(), job.operation, generation)
  const now = await set.clock.now()
  const tombstone = {
    id: `${set.newId()}:untrash`,
    operation: job.operation,
    kind: 'tombstone',
    state: 'doomed',
    key,
    physical: trashed,
    dueAt: now,
    createdAt: now,
  } as const
  return [
    [`DELETE FROM ${set.table('trash')} WHERE generation = ? AND ${HELD}`, generation, batch],
    [`DELETE FROM ${set.table('journal')} WHERE kind = 'trash' AND physical = ? AND ${HELD}`, trashed, batch],
    insertJob(set.table('journal'), tombstone, batch),
  ]
}

const CHUNK = 200

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += CHUNK) yield items.slice(at, at + CHUNK)
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter(item => !test(item))]
}
