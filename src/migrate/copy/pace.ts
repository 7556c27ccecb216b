import { endedError, untilEnded } from '../../core/deadline.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import type { MigrationLimits } from '../migrate-options.ts'

export interface PaceOptions {
  /** Milliseconds. */
  readonly now: () => number
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
}

/** Keeps to the rates that the caller has set; without any it costs nothing. */
export interface Pace {
  /** Waits until one more request may be sent. */
  request(signal: AbortSignal | undefined): Promise<void> | undefined
  /** Waits until so many bytes of bodies may follow. */
  bytes(count: number, signal: AbortSignal | undefined): Promise<void> | undefined
}

export function pace(
  { requestsPerSecond, bytesPerSecond }: MigrationLimits,
  { now, sleep }: PaceOptions,
): Pace {
  const waiting = (perSecond: number | undefined) => {
    if (perSecond === undefined) return () => undefined
    // What an idle bucket holds is sent at once: a tenth of a second's worth is no burst.
    const bucket = new TokenBucket({ burst: Math.max(1, perSecond / 10), perSecond }, now)
    return (count: number, signal: AbortSignal | undefined) => {
      const ms = bucket.take(count)
      return ms === 0 ? undefined : pause(ms, sleep, signal)
    }
  }
  const requests = waiting(requestsPerSecond)
  return { request: signal => requests(1, signal), bytes: waiting(bytesPerSecond) }
}

/** @throws `aborted` where the signal ends first */
export async function pause(
  ms: number,
  sleep: PaceOptions['sleep'],
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await untilEnded(sleep(ms, signal), signal)
  } catch (reason) {
    throw signal?.aborted ? endedError(signal, 'migrate', 'migrate') : reason
  }
}
