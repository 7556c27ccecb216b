/**
 * Group commit. The batches that are asked for within one turn of the event loop, or while others wait, share one
 * transaction and its one sync of the disk; each has a savepoint of its own, so that one that fails is undone alone.
 */
import { StorageError } from '../../core/errors.ts'
import type { BatchResult } from '../engine.ts'
import { type Batch, runBatch, Withdrawn } from './run-batch.ts'
import type { Session } from './session.ts'
import { CONSTRAINT, IOERR, isBusy, resultCode, toSqliteError } from './sqlite-errors.ts'
import type { Durability } from './sqlite-options.ts'
import { busyDelayMs } from './when-free.ts'

interface Job {
  readonly batch: Batch
  readonly durable: boolean
  readonly patienceMs: number
  readonly signal: AbortSignal | undefined
  readonly resolve: (result: BatchResult) => void
  readonly reject: (error: unknown) => void
  /** How often, and for how long, it found the database held by another. */
  attempts: number
  waitedMs: number
  /** In a transaction of its own: one that it shared was ended by a neighbour. */
  alone: boolean
}

/** Told to whoever asked once the transaction has ended, never before. */
type Answer = () => void

/** Keeps the time short for which the process does nothing else. */
const MAX_GROUP = 128

export class Writer {
  private readonly queue: Job[] = []
  private scheduled = false

  constructor(
    private readonly session: Session,
    private readonly durability: Durability,
    private readonly now: () => number,
  ) {}

  add(batch: Batch, options: Pick<Job, 'durable' | 'patienceMs' | 'signal'>): Promise<BatchResult> {
    return new Promise((resolve, reject) => {
      this.queue.push({ batch, ...options, resolve, reject, attempts: 0, waitedMs: 0, alone: false })
      if (!this.scheduled) this.schedule(0)
    })
  }

  /** `setImmediate`: behind all that this turn of the event loop brings, and no timer for who writes alone. */
  private schedule(delayMs: number): void {
    this.scheduled = true
    if (delayMs === 0) setImmediate(() => this.flush())
    else setTimeout(() => this.flush(), delayMs)
  }

  private flush(): void {
    const jobs = this.take()
    const delayMs = jobs.length === 0 ? 0 : this.attempt(jobs)
    this.scheduled = false
    if (this.queue.length > 0) this.schedule(delayMs)
  }

  private take(): Job[] {
    const jobs: Job[] = []
    while (jobs.length < MAX_GROUP) {
      const [job] = this.queue
      if (job === undefined || (job.alone && jobs.length > 0)) break
      this.queue.shift()
      if (job.signal?.aborted) job.reject(job.signal.reason)
      else jobs.push(job)
      if (job.alone && jobs.length > 0) break
    }
    return jobs
  }

  /** Returns the milliseconds to wait before the next one. */
  private attempt(jobs: Job[]): number {
    try {
      this.session.withoutWaiting(() => this.perform(jobs))
    } catch (error) {
      if (isBusy(error)) return this.putBack(jobs, toSqliteError(error, 'batch'))
      // No transaction of ours was begun: what is open may be the caller's, and is left alone.
      for (const job of jobs) job.reject(commitError(error))
    }
    return 0
  }

  private perform(jobs: Job[]): void {
    const { session } = this
    session.setDurability(jobs.some(job => job.durable) ? 'full' : this.durability)
    const single = session.connection.endsHeldStatements ? onlyStatement(jobs) : undefined
    if (single === undefined) {
      session.control('BEGIN IMMEDIATE')
      this.transaction(jobs)
    } else {
      const results = [session.run(single)]
      jobs[0]?.resolve({ applied: true, results })
    }
  }

  private transaction(jobs: Job[]): void {
    const { session } = this
    try {
      const usesOperations = jobs.some(job => job.batch.id !== undefined)
      if (usesOperations) session.ensureOperations()
      const answers: Answer[] = []
      for (const job of jobs) {
        const answer = jobs.length === 1 ? this.runWhole(job) : this.runInSavepoint(job)
        answers.push(answer)
        if (session.connection.inTransaction()) continue
        // The only one is undone; or a full disk, or an `ON CONFLICT ROLLBACK`, has ended what all share.
        answer()
        this.runAlone(jobs.filter(other => other !== job))
        return
      }
      session.control('COMMIT')
      if (usesOperations) session.settled()
      for (const answer of answers) answer()
    } catch (error) {
      this.failed(jobs, error)
    }
  }

  private runWhole(job: Job): Answer {
    return this.answer(job, () => {
      if (this.session.connection.inTransaction()) this.session.control('ROLLBACK')
    })
  }

  private runInSavepoint(job: Job): Answer {
    const { session } = this
    session.control('SAVEPOINT stowage_batch')
    const answer = this.answer(job, () => {
      if (session.connection.inTransaction()) session.control('ROLLBACK TO stowage_batch')
    })
    if (session.connection.inTransaction()) session.control('RELEASE stowage_batch')
    return answer
  }

  private answer(job: Job, undo: () => void): Answer {
    try {
      const result = runBatch(this.session, job.batch, this.now())
      return () => job.resolve(result)
    } catch (error) {
      undo()
      if (error instanceof Withdrawn) return () => job.resolve(error.result)
      return () => job.reject(toSqliteError(error, 'batch'))
    }
  }

  private failed(jobs: readonly Job[], error: unknown): void {
    const { connection } = this.session
    if (connection.inTransaction()) this.session.control('ROLLBACK')
    // A deferred foreign key speaks up at the commit and does not say whose it is.
    if (resultCode(error) === CONSTRAINT && jobs.length > 1) this.runAlone(jobs)
    else for (const job of jobs) job.reject(commitError(error))
  }

  private runAlone(jobs: readonly Job[]): void {
    for (const job of jobs) job.alone = true
    this.queue.unshift(...jobs)
  }

  /** Nothing has happened yet. Whoever has waited long enough gets the error. */
  private putBack(jobs: readonly Job[], error: StorageError): number {
    const delayMs = busyDelayMs(Math.max(...jobs.map(job => job.attempts)))
    const patient = jobs.filter(job => {
      if (job.waitedMs >= job.patienceMs) job.reject(error)
      job.attempts++
      job.waitedMs += delayMs
      return job.waitedMs - delayMs < job.patienceMs
    })
    this.queue.unshift(...patient)
    return delayMs
  }
}

/** The one statement of a batch that needs no transaction around it: SQLite makes its own. */
function onlyStatement([job, ...others]: readonly Job[]) {
  if (job === undefined || others.length > 0) return undefined
  const { id, statements } = job.batch
  return id === undefined && statements.length === 1 ? statements[0] : undefined
}

/** A disk that failed while it synced may have kept the batch or not; all else at a commit means that nothing happened. */
function commitError(error: unknown): StorageError {
  if (resultCode(error) !== IOERR) return toSqliteError(error, 'batch')
  return new StorageError(
    'pending',
    'batch: SQLite: the disk failed at the commit; ask for the outcome later',
    {
      operation: 'batch',
      provider: 'sqlite',
      cause: error,
    },
  )
}
