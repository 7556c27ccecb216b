import { isStorageError } from '../core/errors.ts'
import { checkMarker } from './marker.ts'
import type { RecordSet } from './record-set.ts'
import type { JobRunner } from './run-jobs.ts'

export interface WorkerOptions {
  /** Longest pause between two looks into the journal, in milliseconds. Default: 30 seconds. */
  idleMs?: number
  /** How long ids of ended operations are remembered, in milliseconds. Default: 7 days. */
  rememberMs?: number
}

export interface Worker {
  /** Ends when what is under way has ended. */
  stop(): Promise<void>
}

const DAY = 86_400_000

/**
 * Does in the background what is owed: old bytes, unfinished deletes, expired uploads, messages to the CDN. Any number
 * of processes may run one. A database that can't be reached is asked again, with pauses that grow. One that was restored
 * or moved meanwhile, or whose root is another database's, ends the worker, with an event.
 */
export function startWorker(set: RecordSet, runner: JobRunner, options: WorkerOptions = {}): Worker {
  const { idleMs = 30_000, rememberMs = 7 * DAY } = options
  const stopped = new AbortController()
  const ended = work()
  return {
    stop() {
      stopped.abort()
      return ended
    },
  }

  async function work(): Promise<void> {
    let failures = 0
    let isOurs = false
    let forgotten = Number.NEGATIVE_INFINITY
    while (!stopped.signal.aborted) {
      let pause = idleMs
      try {
        isOurs ||= (await checkMarker(set)) > 0
        const { nextInMs = idleMs } = await runner.round()
        pause = Math.min(idleMs, nextInMs)
        failures = 0
        if (set.monotonic() - forgotten > DAY) {
          forgotten = set.monotonic()
          await set.engine.forget(set.now() - rememberMs)
        }
      } catch (error) {
        failures++
        set.emit({
          kind: 'worker-failed',
          severity: 'warning',
          failures,
          error: set.error(error, 'recover'),
        })
        if (runner.isOutdated || (!isOurs && isStorageError(error, 'conflict') && !error.retryable)) return
        pause = Math.min(idleMs, 1_000 * 2 ** failures)
      }
      if (pause > 0) await set.rest(pause, stopped.signal).catch(() => {})
    }
  }
}
