import { deadline, endedError } from '../../core/deadline.ts'
import type { StorageError } from '../../core/errors.ts'
import type { BatchOptions, BatchResult } from '../engine.ts'
import type { BatchMember } from './batch-member.ts'
import { failure } from './failures.ts'

interface Tell {
  resolve(result: BatchResult): void
  reject(error: unknown): void
}

/** A batch and whoever waits for it, who is told once: what became of it, or that the time is over. */
export class WaitingBatch {
  readonly member: BatchMember
  /** Whether it may happen, or have happened: under way, or sent before with no answer. */
  underWay = false
  unsure = false
  /** Why it still waits. */
  problem: unknown
  /** Goes in a request of its own: a group that it was in failed for a reason that names nobody. */
  alone = false
  settled = false
  private readonly tell: Tell
  /** Forgets the timer and the caller's signal. */
  private clear = () => {}

  constructor(member: BatchMember, tell: Tell) {
    this.member = member
    this.tell = tell
  }

  resolve(result: BatchResult): void {
    if (this.settle()) this.tell.resolve(result)
  }

  reject(error: unknown): void {
    if (this.settle()) this.tell.reject(error)
  }

  /** For a batch without an id, or where its id can't be asked for. */
  rejectAsLost(): void {
    const { id } = this.member
    const way = id === undefined ? 'give batches an id to have this resolved' : `ask for outcome('${id}')`
    const problem = `it is unknown whether the batch happened; ${way}`
    this.reject(failure('pending', 'batch', problem, { cause: this.problem }))
  }

  /**
   * Ends when the caller waits no longer, or the time is over; `onEnd` takes it from the queue.
   *
   * @throws `invalid-argument` for a signal or a time that is none; `aborted` where the signal has ended
   */
  limitTime({ signal, timeoutMs }: BatchOptions, deadlineMs: number, onEnd: () => void): void {
    const end = (ended: StorageError) => {
      onEnd()
      if (this.underWay || this.unsure) this.rejectAsLost()
      else this.reject(this.neverSent(ended))
    }
    if (signal !== undefined || timeoutMs !== undefined) {
      const ends = deadline(
        { timeoutMs: timeoutMs ?? deadlineMs, ...(signal && { signal }) },
        'batch',
        'rqlite',
      )
      const ended = ends.signal!
      ended.addEventListener('abort', () => end(endedError(ended, 'batch', 'rqlite')))
      this.clear = ends.clear
      return
    }
    // No signal where nobody asks for one: it would cost as much as the rest of a grouped batch.
    const timer = setTimeout(
      () => end(failure('timeout', 'batch', `timed out, no end after ${deadlineMs} ms`)),
      deadlineMs,
    )
    this.clear = () => clearTimeout(timer)
  }

  private settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.clear()
    return true
  }

  private neverSent(ended: StorageError): StorageError {
    const { problem } = this
    if (ended.code === 'aborted' || !(problem instanceof Error)) return ended
    return failure('unavailable', 'batch', `${problem.message}; nothing happened`, { cause: problem })
  }
}
