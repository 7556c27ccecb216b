import { setTimeout as delay } from 'node:timers/promises'
import { isBusy } from './sqlite-errors.ts'

/** Milliseconds to wait after the first, second, … time that the database was held by another. */
const DELAYS_MS = [1, 1, 2, 3, 5, 8, 12, 20]

export function busyDelayMs(attempt: number): number {
  return DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)] as number
}

/** Runs `work` again while another connection is in its way, for `patienceMs` at most; this process goes on meanwhile. */
export async function whenFree<T>(
  work: () => T,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  let waitedMs = 0
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || waitedMs >= patienceMs) throw error
    }
    await delay(busyDelayMs(attempt))
    waitedMs += busyDelayMs(attempt)
  }
}
