import type { CutOverSet } from './cut-over-set.ts'
import type { PhaseLease } from './phase-lease.ts'
import { dueInMs, settle } from './settle.ts'

export interface CutOverWorkerOptions {
  /** Longest pause between two looks at what is owed, in milliseconds. Default: 5 seconds. */
  idleMs?: number
}

export interface CutOverWorker {
  /** Ends when what is under way has ended. */
  stop(): Promise<void>
}

/** Pays in the background what one side is owed. Any number of processes may run one. */
export function startCutOverWorker(
  set: CutOverSet,
  lease: PhaseLease,
  { idleMs = 5_000 }: CutOverWorkerOptions = {},
): CutOverWorker {
  const stopped = new AbortController()
  const ended = work()
  return {
    stop() {
      stopped.abort()
      return ended
    },
  }

  async function work(): Promise<void> {
    while (!stopped.signal.aborted) {
      let pause = idleMs
      try {
        await settle(set, lease, { signal: stopped.signal })
        pause = Math.max(1, Math.min(idleMs, (await dueInMs(set)) ?? idleMs))
      } catch (error) {
        if (stopped.signal.aborted) return
        set.emit({ kind: 'worker-failed', error: set.error(error, 'settle') })
      }
      await set.rest(pause, stopped.signal).catch(() => {})
    }
  }
}
