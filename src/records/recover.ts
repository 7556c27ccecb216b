import type { RecordSet } from './record-set.ts'
import type { JobRunner } from './run-jobs.ts'

export interface RecoverOptions {
  /**
   * Wait for jobs of processes that may be alive, until they have been silent for the lease's time. Default: false:
   * only those of processes that are known to have ended, and what nobody works on.
   */
  waitForLeases?: boolean
  signal?: AbortSignal
}

export interface RecoverReport {
  /** Jobs that were worked on, one that was tried twice counted twice. */
  readonly worked: number
  /** What is left: owned by processes that may be alive, waiting for its time, or failed and to be tried again. */
  readonly pending: number
  /** What needs a person. */
  readonly stuck: number
}

/** Does what is owed and due. Safe to call at any time, from any number of processes. */
export async function recover(
  set: RecordSet,
  runner: JobRunner,
  { waitForLeases = false, signal }: RecoverOptions = {},
): Promise<RecoverReport> {
  let worked = 0
  for (;;) {
    signal?.throwIfAborted()
    const round = await runner.round()
    worked += round.worked
    if (round.worked > 0) continue
    if (!waitForLeases || !(await hasOwnedJobs(set))) break
    await set.wait(Math.max(1, Math.min(round.nextInMs ?? 0, set.settings.leaseMs)), signal)
  }
  return { worked, ...(await journalCounts(set)) }
}

/** Does what one operation has left to do now, also what has failed and waits for its next attempt. */
export async function settleOperation(runner: JobRunner, operation: string): Promise<void> {
  // A removal may leave a message to the CDN: that has its own time.
  for (let round = 0; round < 2; round++) if ((await runner.round(operation)).worked === 0) return
}

async function hasOwnedJobs(set: RecordSet): Promise<boolean> {
  const now = await set.clock.now()
  const rows = await set.query(
    [
      `SELECT 1 AS one FROM ${set.table('journal')} WHERE stuck = 0 AND owner <> '' AND due_at <= ? LIMIT 1`,
      BigInt(now),
    ],
    { consistency: 'linearizable' },
  )
  return rows.length > 0
}

async function journalCounts(set: RecordSet): Promise<{ pending: number; stuck: number }> {
  const [row] = await set.query([
    `SELECT COUNT(*) AS jobs, COALESCE(SUM(stuck), 0) AS stuck FROM ${set.table('journal')}`,
  ])
  const stuck = Number(row!.stuck)
  return { pending: Number(row!.jobs) - stuck, stuck }
}
