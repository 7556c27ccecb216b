import { type Deadline, deadline, endedError, untilEnded } from '../../core/deadline.ts'
import type { StorageError } from '../../core/errors.ts'
import { failure } from './failures.ts'
import type { Settings } from './options.ts'

interface Limits {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
}

/**
 * When a read is over. Without limits of the caller's, the first try has its own time limit only and no signal: making
 * one costs a fifth of a read.
 */
export class ReadEnds {
  private readonly settings: Settings
  private deadline: Deadline | undefined
  private problem: unknown

  /** @throws `invalid-argument` for limits that are none, `aborted` where the caller's signal already is */
  constructor(limits: Limits | undefined, settings: Settings) {
    this.settings = settings
    if (limits !== undefined) this.begin(limits)
  }

  get signal(): AbortSignal | undefined {
    return this.deadline?.signal
  }

  clear(): void {
    this.deadline?.clear()
  }

  /** Waits before another try. @throws where there is no time left for one */
  async again(problem: unknown, waitMs: number): Promise<void> {
    if (this.deadline === undefined) this.begin({ signal: undefined, timeoutMs: undefined })
    const { signal } = this
    // A try that the end itself cut off has nothing to tell.
    if (problem !== signal!.reason) this.problem = problem
    if (!signal!.aborted) await untilEnded(this.settings.wait(waitMs), signal).catch(() => {})
    if (signal!.aborted) throw over(signal!, this.problem)
  }

  private begin({ signal, timeoutMs = this.settings.deadlineMs }: Limits): void {
    this.deadline = deadline({ timeoutMs, ...(signal && { signal }) }, 'query', 'rqlite')
  }
}

function over(signal: AbortSignal, problem: unknown): StorageError {
  const ended = endedError(signal, 'query', 'rqlite')
  if (ended.code === 'aborted' || !(problem instanceof Error)) return ended
  return failure('unavailable', 'query', problem.message, { cause: problem })
}
