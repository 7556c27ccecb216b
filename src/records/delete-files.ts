/**
 * Deleting: one batch hides the records and journals the deletion, the bytes go, one batch forgets both. A reader sees a
 * file gone from the first batch on, and nobody can bring it back by accident.
 */
import { StorageError } from '../core/errors.ts'
import type { DeleteResult } from '../core/provider.ts'
import { type BatchResult, HELD, type Statement } from '../sql/engine.ts'
import { backoff } from './job-failure.ts'
import { insertJobsOfRecords, type Job } from './journal-row.ts'
import { meetFiles, retiresUnmet } from './meet-files.ts'
import { trashKey } from './physical-key.ts'
import { conditionProblem } from './publish.ts'
import { ATTRIBUTE_COLUMNS } from './record.ts'
import { placeholders, type RecordSet } from './record-set.ts'
import { type JobOutcome, runRemoveJobs } from './run-remove-jobs.ts'
import { stillPending } from './run-write-job.ts'

export interface Deletion {
  readonly operation: 'delete' | 'deleteMany'
  /** Only this generation; for one key. */
  readonly ifMatch?: string | undefined
  readonly also?: readonly Statement[] | undefined
  readonly transaction?: unknown
  readonly signal?: AbortSignal | undefined
}

/** A deletion of which the journal keeps the rest: `settle(operationId)` does it at once, a worker does it in its time. */
export type FileDeletion = DeleteResult & {
  /** Names it in the journal, on the stuck list and in a `pending` error. */
  readonly operationId?: string
}

const CHUNK = 200

/** Deletes files of at most some thousand keys in one batch. A result per key, in order. */
export async function deleteFiles(
  set: RecordSet,
  keys: readonly string[],
  deletion: Deletion,
): Promise<FileDeletion[]> {
  if (keys.length === 0) return []
  const { transaction, signal } = deletion
  await meetFiles(set, keys, {
    signal,
    joined: transaction === undefined ? undefined : set.join(transaction),
  })
  const operationId = set.newId()
  const result = await hide(set, keys, operationId, deletion)
  if (!result.applied) throw await refusedBecause(set, keys[0]!, deletion)
  if (deletion.transaction !== undefined) return announced(keys, result, operationId)
  try {
    return await removeHidden(set, keys, operationId, deletion, hiddenKeys(keys, result))
  } catch (error) {
    // The files are hidden and their jobs are journaled: whatever fails from here on, it has happened and goes on.
    const cause = set.error(error, deletion.operation)
    return keys.map(key => {
      const pending = stillPending(deletion.operation, key, operationId, cause)
      return { key, status: 'error', error: pending, operationId }
    })
  }
}

/** Deletes the bytes of files that are hidden. */
async function removeHidden(
  set: RecordSet,
  keys: readonly string[],
  operationId: string,
  deletion: Deletion,
  hidden: ReadonlySet<string> | undefined,
): Promise<FileDeletion[]> {
  const jobs = await set.jobs(["operation = ? AND kind = 'delete'", operationId], {
    consistency: 'session',
  })
  const outcomes = await removeWithPatience(set, jobs, deletion)
  const byKey = new Map(jobs.map(job => [job.key, job]))
  const seen = new Set<string>()
  return keys.map(key => {
    const job = byKey.get(key)
    // A key that is named twice is deleted once.
    if (seen.has(key)) return { key, status: 'missing' }
    seen.add(key)
    if (job === undefined) return { key, ...withoutJob(key, operationId, hidden) }
    const outcome = outcomes.get(job.id)!
    if (outcome.status === 'done') return { key, status: 'deleted', operationId }
    const error =
      outcome.status === 'returned'
        ? withKey(outcome.error, deletion.operation, key)
        : stillPending(deletion.operation, key, operationId, outcome.error)
    return { key, status: 'error', error, operationId }
  })
}

/** Inside the caller's transaction nothing has happened yet: these are the results once it commits. */
function announced(keys: readonly string[], result: BatchResult, operationId: string): FileDeletion[] {
  const hidden = hiddenKeys(keys, result)
  const first = new Map(keys.map((key, at) => [key, at] as const).reverse())
  return keys.map((key, at) =>
    // A key that is named twice is deleted once.
    first.get(key) === at ? { key, ...withoutJob(key, operationId, hidden) } : { key, status: 'missing' },
  )
}

/** Undefined where the answer was lost, and with it which files there were. */
function hiddenKeys(keys: readonly string[], { results }: BatchResult): ReadonlySet<string> | undefined {
  // The first statements hide; behind them are the caller's own, which may return rows, too.
  const hiding = results?.slice(0, Math.ceil(new Set(keys).size / CHUNK))
  return hiding && new Set(hiding.flatMap(({ rows }) => rows.map(row => String(row.key))))
}

/** What is said of a key that no job is owed of: there was no file, or recovery has finished the job already. */
function withoutJob(key: string, operationId: string, hidden: ReadonlySet<string> | undefined) {
  if (hidden === undefined) return { status: 'gone' } as const
  return hidden.has(key) ? ({ status: 'deleted', operationId } as const) : ({ status: 'missing' } as const)
}

async function hide(
  set: RecordSet,
  keys: readonly string[],
  operationId: string,
  { ifMatch, also = [], transaction }: Deletion,
): Promise<BatchResult> {
  const joined = transaction === undefined ? undefined : set.join(transaction)
  const [files, journal] = [set.table('files'), set.table('journal')]
  const id = `${operationId}:hide`
  const now = await set.clock.now()
  const { restoreMs, keepForBackupsMs } = set.settings
  const restorable = restoreMs > 0
  const unique = [...new Set(keys)]
  const statements: Statement[] = []
  for (let at = 0; at < unique.length; at += CHUNK) {
    const some = unique.slice(at, at + CHUNK)
    statements.push([
      `UPDATE ${files} SET state = 'deleting', operation = ? WHERE state = 'live' AND key IN (${placeholders(some)}) AND ${HELD} RETURNING key`,
      operationId,
      ...some,
      id,
    ])
  }
  // What is deleted with the caller's transaction belongs to nobody: whoever comes first after the commit goes on.
  const owned = joined === undefined ? { owner: set.owner, attempts: 1 } : { owner: '', attempts: 0 }
  const hidden: Statement = ["operation = ? AND state = 'deleting'", operationId]
  const jobs = {
    operation: operationId,
    kind: 'delete',
    state: 'doomed',
    ...owned,
    dueAt: now,
    createdAt: now,
    keepMs: restorable ? restoreMs + keepForBackupsMs : undefined,
  } as const
  statements.push(insertJobsOfRecords(journal, files, jobs, hidden, id))
  if (restorable) statements.push(await insertTrash(set, hidden, operationId, id, now))
  statements.push(...(await retiresUnmet(set))(hidden, now, id))
  const condition: Statement | undefined =
    ifMatch === undefined
      ? undefined
      : [`SELECT 1 FROM ${files} WHERE key = ? AND state = 'live' AND generation = ?`, keys[0]!, ifMatch]
  const options = { id, condition, locks: set.locks(...unique) }
  if (joined !== undefined) {
    await set.ready()
    return joined.batch(statements, options)
  }
  return set.batch([...statements, ...also], { ...options, guard: also.length > 0 ? 'abort' : 'data' })
}

/** What is needed to restore the files; `ready` once their bytes are in the trash. */
async function insertTrash(
  set: RecordSet,
  [where, ...parameters]: Statement,
  operationId: string,
  batch: string,
  now: number,
): Promise<Statement> {
  const columns = ATTRIBUTE_COLUMNS.join(', ')
  return [
    `INSERT INTO ${set.table('trash')} (generation, key, trashed, ready, deleted_at, expires_at, ${columns}) SELECT generation, key, ? || generation, 0, ?, ?, ${columns} FROM ${set.table('files')} WHERE ${where} AND ${HELD}`,
    trashKey(await set.root(), operationId, ''),
    BigInt(now),
    BigInt(now + set.settings.restoreMs),
    ...parameters,
    batch,
  ]
}

/** Tries until the caller's patience ends; then those that are left are told as pending, which is remembered. */
async function removeWithPatience(
  set: RecordSet,
  jobs: readonly Job[],
  { signal, also = [] }: Deletion,
): Promise<Map<string, JobOutcome>> {
  const outcomes = new Map<string, JobOutcome>()
  const until = set.monotonic() + set.settings.patienceMs
  let left = [...jobs]
  for (let attempt = 1; left.length > 0; attempt++) {
    // A store may hold a deletion back as long as somebody reads the bytes: the caller is not held with it.
    const round = await runRemoveJobs(set, left, {
      signal,
      timeoutMs: timeLimit(set),
      // The caller's own rows are gone and can't come back: then the file must not either.
      mayReturn: also.length === 0,
    })
    for (const [id, outcome] of round) outcomes.set(id, outcome)
    left = left.filter(job => outcomes.get(job.id)?.status === 'later')
    const pause = backoff(set, attempt)
    if (left.length === 0 || signal?.aborted || set.monotonic() + pause > until) break
    await set.wait(pause, signal).catch(() => {})
    left = await takeAgain(set, left)
  }
  const pending = jobs.filter(job => outcomes.get(job.id)?.status === 'later')
  if (pending.length > 0) await rememberAnswered(set, pending)
  return outcomes
}

/** Milliseconds for one attempt of a caller's; the journal has more time. */
export function timeLimit({ settings }: RecordSet): number {
  return Math.max(1_000, settings.patienceMs)
}

/** The jobs that were put back and that nobody has taken since. */
async function takeAgain(set: RecordSet, jobs: readonly Job[]): Promise<Job[]> {
  const journal = set.table('journal')
  const id = `${set.newId()}:claim`
  await set.batch(
    jobs.map(
      (job): Statement => [
        `UPDATE ${journal} SET owner = ?, fence = fence + 1, attempts = attempts + 1 WHERE id = ? AND fence = ? AND owner = '' AND ${HELD}`,
        set.owner,
        job.id,
        BigInt(job.fence),
        id,
      ],
    ),
    { id },
  )
  const fences = new Map(jobs.map(job => [job.id, job.fence + 1]))
  const now = await set.jobs([
    `owner = ? AND id IN (${placeholders(jobs)})`,
    set.owner,
    ...jobs.map(job => job.id),
  ])
  return now.filter(job => job.fence === fences.get(job.id))
}

/** A caller that was told `pending` may act on it: from then on these files never come back. */
async function rememberAnswered(set: RecordSet, jobs: readonly Job[]): Promise<void> {
  await set.write(
    [
      [
        `UPDATE ${set.table('journal')} SET answered = 1 WHERE id IN (${placeholders(jobs)})`,
        ...jobs.map(job => job.id),
      ],
    ],
    { durable: true },
  )
}

async function refusedBecause(set: RecordSet, key: string, { operation, ifMatch, transaction }: Deletion) {
  const joined = transaction === undefined ? undefined : set.join(transaction)
  const record = await set.record(key, { consistency: 'linearizable' }, joined)
  const details = { operation, key, provider: set.provider.name }
  return (
    conditionProblem(record, { ifMatch }, details) ??
    new StorageError('conflict', `${operation}: the file has changed meanwhile; try again`, details)
  )
}

function withKey(error: StorageError, operation: string, key: string): StorageError {
  const { code, message, status, requestId, retryable, provider } = error
  return new StorageError(code, message, {
    operation,
    key,
    provider,
    status,
    requestId,
    retryable,
    cause: error,
  })
}
