import { HELD } from '../sql/engine.ts'
import { Leases } from './leases.ts'
import type { RecordSet } from './record-set.ts'
import type { Worker } from './worker.ts'

export interface EveryOptions<Report> {
  /** Milliseconds from one start to the next, by the store's clock. */
  everyMs: number
  /** Told of every run that this process has made. What it throws is dropped. */
  onReport?: (report: Report) => void
}

/**
 * Runs `work` periodically, under the lease `name`: of all processes that do so, one runs it each time. One that fails is
 * told as an event, and tried again after a pause. The first run is due at once, unless another process has made one.
 */
export function runEvery<Report>(
  set: RecordSet,
  name: 'audit' | 'collect',
  { everyMs, onReport }: EveryOptions<Report>,
  work: (signal: AbortSignal) => Promise<Report>,
): Worker {
  if (!(typeof everyMs === 'number' && Number.isFinite(everyMs) && everyMs > 0))
    throw set.refuse(name, 'everyMs must be a number of milliseconds above 0')
  const leases = new Leases(set)
  const stopped = new AbortController()
  const ended = loop()
  return {
    stop() {
      stopped.abort()
      return ended
    },
  }

  async function loop(): Promise<void> {
    let failures = 0
    while (!stopped.signal.aborted) {
      let pause: number
      try {
        pause = await turn()
        failures = 0
      } catch (error) {
        if (stopped.signal.aborted) return
        failures++
        set.emit({ kind: 'worker-failed', severity: 'warning', failures, error: set.error(error, name) })
        pause = Math.min(everyMs, 1_000 * 2 ** Math.min(failures, 12))
      }
      // A timer takes at most 2^31 milliseconds; a lease that is held is looked at again.
      if (!stopped.signal.aborted)
        await set.rest(Math.max(1, Math.min(pause, 2 ** 31 - 1)), stopped.signal).catch(() => {})
    }
  }

  /** Runs it where it is due and nobody else does. Returns milliseconds until the next look. */
  async function turn(): Promise<number> {
    const wait = await untilDue()
    if (wait > 0) return wait
    const lease = await leases.take(name)
    if (lease === undefined) return set.settings.leaseMs
    try {
      // Whoever held the lease before may have run it since.
      const again = await untilDue()
      if (again > 0) return again
      const startedAt = await set.clock.now()
      const report = await work(AbortSignal.any([stopped.signal, lease.lost]))
      await remember(startedAt)
      try {
        onReport?.(report)
      } catch {
        // A listener that fails must not fail what it listens to.
      }
      return untilDue()
    } finally {
      await lease.release().catch(() => {})
    }
  }

  async function untilDue(): Promise<number> {
    const [row] = await set.query(
      [`SELECT value FROM ${set.table('settings')} WHERE name = ?`, `${name}_started_at`],
      { consistency: 'linearizable' },
    )
    if (row === undefined) return 0
    return Number(row.value) + everyMs - (await set.clock.now())
  }

  async function remember(startedAt: number): Promise<void> {
    const id = `${set.newId()}:ran`
    await set.batch(
      [
        [
          `INSERT INTO ${set.table('settings')} (name, value) SELECT ?, ? WHERE ${HELD} ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
          `${name}_started_at`,
          String(startedAt),
          id,
        ],
      ],
      { id },
    )
  }
}
