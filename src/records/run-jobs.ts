import type { Statement } from '../sql/engine.ts'
import { JobClaims } from './claim-jobs.ts'
import { currentEpoch } from './epoch.ts'
import { putBack } from './job-failure.ts'
import type { Job, JobKind } from './journal-row.ts'
import type { RecordSet } from './record-set.ts'
import { runCdnJobs } from './run-cdn-jobs.ts'
import { runRemoveJobs } from './run-remove-jobs.ts'
import { runWriteJob } from './run-write-job.ts'

/** Jobs that are looked at together. */
const ROUND = 200

const REMOVALS: ReadonlySet<JobKind> = new Set(['replaced', 'delete', 'trash', 'orphan', 'quarantine'])

export interface Round {
  /** Jobs that this process took and worked on. */
  readonly worked: number
  /** Milliseconds until there may be something to do; undefined where nothing is owed. */
  readonly nextInMs: number | undefined
}

/** Jobs that nobody works on, and those that others do. */
interface Found {
  readonly free: readonly Job[]
  readonly busy: readonly Job[]
}

/** Takes what is due and free, and does it. What fails goes back into the journal; only a database that fails throws. */
export class JobRunner {
  readonly #set: RecordSet
  readonly #claims: JobClaims
  #epoch: number | undefined
  #outdated = false

  constructor(set: RecordSet) {
    this.#set = set
    this.#claims = new JobClaims(set)
  }

  /** Jobs that this process can do: a message to the CDN waits for one that has it. */
  get #ours(): string {
    return this.#set.settings.cdn === undefined ? "stuck = 0 AND kind <> 'cdn'" : 'stuck = 0'
  }

  /** Whether the database has been restored or moved since this runner began: nothing is done any more. */
  get isOutdated(): boolean {
    return this.#outdated
  }

  /**
   * One round over all that is due, or over one operation's jobs: those that are due, and those that have failed and
   * wait for another attempt. A grace is never cut short.
   */
  async round(operation?: string): Promise<Round> {
    const set = this.#set
    const epoch = await this.#sameEpoch()
    const now = await set.clock.now()
    const { free, busy } = operation === undefined ? await this.#due(now) : await this.#of(operation, now)
    this.#claims.forgetUnseen()
    const mine = await this.#claims.claim(free, epoch)
    await this.#run(mine)
    if (mine.length > 0) return { worked: mine.length, nextInMs: 0 }
    return { worked: 0, nextInMs: await this.#nextIn([...free, ...busy], now) }
  }

  /** The oldest jobs that are due and free, and what others work on before them. */
  async #due(now: number): Promise<Found> {
    const busy: Job[] = []
    let beyond: Statement = ['']
    for (;;) {
      const [further, ...last] = beyond
      const page = await this.#set.jobs(
        [`${this.#ours} AND due_at <= ?${further} ORDER BY due_at, id LIMIT ${ROUND}`, BigInt(now), ...last],
        { consistency: 'linearizable' },
      )
      const found = this.#look(page)
      busy.push(...found.busy)
      if (found.free.length > 0 || page.length < ROUND) return { free: found.free, busy }
      const { dueAt, id } = page.at(-1)!
      beyond = [' AND (due_at, id) > (?, ?)', BigInt(dueAt), id]
    }
  }

  async #of(operation: string, now: number): Promise<Found> {
    const jobs = await this.#set.jobs(
      [
        `${this.#ours} AND operation = ? AND (due_at <= ? OR attempts > 0) ORDER BY id`,
        operation,
        BigInt(now),
      ],
      { consistency: 'linearizable' },
    )
    return this.#look(jobs)
  }

  #look(jobs: readonly Job[]): Found {
    const free: Job[] = []
    const busy: Job[] = []
    for (const job of jobs) (this.#claims.isFree(job) ? free : busy).push(job)
    return { free, busy }
  }

  async #run(jobs: readonly Job[]): Promise<void> {
    const removals = jobs.filter(job => REMOVALS.has(job.kind))
    const cdn = jobs.filter(job => job.kind === 'cdn')
    const writes = jobs.filter(job => !REMOVALS.has(job.kind) && job.kind !== 'cdn')
    await this.#guarded(removals, () => runRemoveJobs(this.#set, removals))
    await this.#guarded(cdn, () => runCdnJobs(this.#set, cdn))
    for (const job of writes) await this.#guarded([job], () => runWriteJob(this.#set, job))
  }

  /** A failure that was not foreseen costs its jobs an attempt, and no others. */
  async #guarded(jobs: readonly Job[], work: () => Promise<unknown>): Promise<void> {
    if (jobs.length === 0) return
    try {
      await work()
    } catch (error) {
      for (const job of jobs) await putBack(this.#set, job, this.#set.error(error, 'recover', job.key))
    }
  }

  /** A database that was restored or moved under a running worker: what it knows is of another time. */
  async #sameEpoch(): Promise<number> {
    const now = await currentEpoch(this.#set)
    this.#epoch ??= now
    const first = this.#epoch
    if (first !== now) {
      this.#outdated = true
      this.#set.emit({ kind: 'epoch-changed', severity: 'alarm', epoch: now })
      throw this.#set.refuse(
        'recover',
        `the records were restored or moved (epoch ${now}, this worker began in ${first}); open the files again`,
      )
    }
    return now
  }

  async #nextIn(due: readonly Job[], now: number): Promise<number | undefined> {
    const set = this.#set
    const waits = due.map(job => this.#claims.silentIn(job))
    const [row] = await set.query([
      `SELECT MIN(due_at) AS due_at FROM ${set.table('journal')} WHERE ${this.#ours} AND due_at > ?`,
      BigInt(now),
    ])
    if (typeof row?.due_at === 'bigint') waits.push(Math.max(1, Number(row.due_at) - now))
    return waits.length === 0 ? undefined : Math.min(...waits)
  }
}
