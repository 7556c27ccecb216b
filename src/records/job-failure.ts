import type { StorageError } from '../core/errors.ts'
import type { Job } from './journal-row.ts'
import type { RecordSet } from './record-set.ts'

/** Puts a job back with what went wrong: to be tried later, or on the stuck list after the last attempt. */
export async function putBack(
  set: RecordSet,
  job: Job,
  error: StorageError,
  { refused = false }: { refused?: boolean } = {},
): Promise<void> {
  const stuck = job.attempts >= set.settings.maxAttempts
  const dueAt = (await set.clock.now()) + backoff(set, job.attempts, error)
  const name = jobName(job)
  const { attempts } = job
  set.emit(
    stuck
      ? { kind: 'job-stuck', severity: 'alarm', job: name, attempts, error }
      : { kind: 'job-failed', severity: 'warning', job: name, attempts, error },
  )
  await set.write([
    [
      // Once: what has been put back, or has become another job behind an answer that was lost, has no owner any more.
      `UPDATE ${set.table('journal')} SET owner = '', due_at = ?, refusals = refusals + ?, error = ?, stuck = ? WHERE id = ? AND fence = ? AND owner <> ''`,
      BigInt(dueAt),
      refused ? 1n : 0n,
      `${error.code}: ${error.message}`.replaceAll('\0', ' ').toWellFormed(),
      stuck ? 1n : 0n,
      job.id,
      BigInt(job.fence),
    ],
  ])
}

/** Doubles with each attempt; the jitter keeps many jobs that failed together from coming back together. */
export function backoff(set: RecordSet, attempts: number, error?: StorageError): number {
  const { firstBackoffMs, mostBackoffMs } = set.settings
  const whole = Math.min(mostBackoffMs, firstBackoffMs * 2 ** Math.max(0, attempts - 1))
  const random = set.options.random ?? Math.random
  return Math.round(Math.max(error?.retryAfterMs ?? 0, whole / 2 + (whole / 2) * random()))
}

export function jobName({ id, kind, key, physical }: Job) {
  return { id, kind, key, physical }
}
