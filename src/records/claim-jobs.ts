import { isStorageError } from '../core/errors.ts'
import { ownerState } from '../core/process-owner.ts'
import { HELD, type Statement } from '../sql/engine.ts'
import type { Job } from './journal-row.ts'
import { lockWait, placeholders, type RecordSet } from './record-set.ts'

/** What an owner's beat was when it was first seen so, on this process's own monotonic clock. */
interface Sighting {
  readonly fence: number
  readonly beat: number
  readonly at: number
  lookedAt: number
}

const UNSEEN_LEASES = 10

/**
 * Takes jobs over from owners that are silent. No clock of another machine is believed: a job is taken when its beat
 * has been the same for the lease's time as observed here, or when its owner is a process of this host that has ended.
 */
export class JobClaims {
  readonly #set: RecordSet
  readonly #seen = new Map<string, Sighting>()

  constructor(set: RecordSet) {
    this.#set = set
  }

  /** Whether nobody works on the job, as far as can be seen. */
  isFree(job: Job): boolean {
    if (job.owner === '') return true
    if (job.owner === this.#set.owner) return this.#isSilent(job)
    return ownerState(job.owner) === 'ended' || this.#isSilent(job)
  }

  /** Jobs of others that are being watched. */
  get watched(): number {
    return this.#seen.size
  }

  /** Forgets what has not been looked at for long: most jobs end with their owners, and nobody tells. */
  forgetUnseen(): void {
    const before = this.#set.monotonic() - UNSEEN_LEASES * this.#set.settings.leaseMs
    for (const [id, { lookedAt }] of this.#seen) if (lookedAt < before) this.#seen.delete(id)
  }

  /** Milliseconds until the silence of an owned job has lasted long enough. */
  silentIn(job: Job): number {
    const seen = this.#seen.get(job.id)
    const { leaseMs } = this.#set.settings
    return seen === undefined ? leaseMs : Math.max(0, seen.at + leaseMs - this.#set.monotonic())
  }

  /** Makes this process the owner, one attempt more is counted. Returns the jobs that it got. */
  async claim(jobs: readonly Job[], epoch: number): Promise<Job[]> {
    if (jobs.length === 0) return []
    try {
      return await this.#take(jobs, epoch)
    } catch (error) {
      if (!isStorageError(error, 'timeout')) throw error
    }
    // A transaction of some caller's is open that has published one of them, or changed it: it decides when it ends.
    if (jobs.length === 1) return this.#leave(jobs[0]!)
    const taken: Job[] = []
    for (const job of jobs) taken.push(...(await this.claim([job], epoch)))
    return taken
  }

  /** Its silence is counted from now. */
  #leave({ id, fence, beat }: Job): [] {
    const at = this.#set.monotonic()
    this.#seen.set(id, { fence, beat, at, lookedAt: at })
    return []
  }

  async #take(jobs: readonly Job[], epoch: number): Promise<Job[]> {
    const set = this.#set
    const id = `${set.newId()}:claim`
    const journal = set.table('journal')
    const statements = jobs.map(
      (job): Statement => [
        `UPDATE ${journal} SET owner = ?, fence = fence + 1, beat = beat + 1, attempts = attempts + 1 WHERE id = ? AND fence = ? AND beat = ? AND ${HELD}`,
        set.owner,
        job.id,
        BigInt(job.fence),
        BigInt(job.beat),
        id,
      ],
    )
    const condition: Statement = [
      `SELECT 1 FROM ${set.table('settings')} WHERE name = 'epoch' AND value = ?`,
      String(epoch),
    ]
    // Whoever decides about these bytes has looked at the fence: it must not grow before that has ended.
    const locks = set.locks(...jobs.map(job => job.physical))
    const { applied } = await set.batch(statements, { id, condition, locks, lockWaitMs: lockWait(set) })
    if (!applied) return []
    const taken = await set.jobs(
      [`owner = ? AND id IN (${placeholders(jobs)})`, set.owner, ...jobs.map(job => job.id)],
      { consistency: 'linearizable' },
    )
    const before = new Map(jobs.map(job => [job.id, job]))
    for (const job of jobs) this.#seen.delete(job.id)
    // A fence that is not ours by one was taken by another part of this process meanwhile.
    return taken.filter(job => job.fence === before.get(job.id)!.fence + 1)
  }

  #isSilent({ id, fence, beat }: Job): boolean {
    const now = this.#set.monotonic()
    const seen = this.#seen.get(id)
    if (seen === undefined || seen.fence !== fence || seen.beat !== beat) {
      this.#seen.set(id, { fence, beat, at: now, lookedAt: now })
      return this.#set.settings.leaseMs === 0
    }
    seen.lookedAt = now
    return now - seen.at >= this.#set.settings.leaseMs
  }
}
