import { StorageError } from '../core/errors.ts'
import type { Statement } from '../sql/engine.ts'
import { forgetHandedOut, invalidationTargets } from './handed-out.ts'
import { jobName, putBack } from './job-failure.ts'
import type { Job } from './journal-row.ts'
import type { RecordSet } from './record-set.ts'

/** How often a CDN is told: once when the bytes are gone, once more for what it fetched just before. */
const TIMES = 2

/** Tells the CDN which URLs must no longer be served. Its failure never touches the files: it is told again. */
export async function runCdnJobs(set: RecordSet, jobs: readonly Job[]): Promise<void> {
  const { cdn } = set.settings
  // A process without a CDN takes none of these jobs.
  if (cdn === undefined) return
  const targets = await invalidationTargets(
    set,
    jobs.map(job => ({ physical: job.physical, reference: `${job.id}/${(job.data.told ?? 0) + 1}` })),
  )
  const results = await cdn.invalidator.invalidate(targets)
  const told: Job[] = []
  for (const [index, job] of jobs.entries()) {
    const result = results[index]
    if (result?.ok) told.push(job)
    else await putBack(set, job, result?.error ?? unanswered(cdn.invalidator.name))
  }
  await recordTold(set, told, cdn.settlingMs)
}

async function recordTold(set: RecordSet, jobs: readonly Job[], settlingMs: number): Promise<void> {
  if (jobs.length === 0) return
  const journal = set.table('journal')
  const dueAt = BigInt((await set.clock.now()) + settlingMs)
  const statements: Statement[] = []
  const ended: Job[] = []
  for (const job of jobs) {
    const told = (job.data.told ?? 0) + 1
    if (told >= TIMES) {
      ended.push(job)
      statements.push([`DELETE FROM ${journal} WHERE id = ? AND fence = ?`, job.id, BigInt(job.fence)])
    } else
      statements.push([
        `UPDATE ${journal} SET owner = '', attempts = 0, error = NULL, due_at = ?, data = ? WHERE id = ? AND fence = ?`,
        dueAt,
        JSON.stringify({ ...job.data, told }),
        job.id,
        BigInt(job.fence),
      ])
  }
  if (ended.length > 0)
    statements.push(
      forgetHandedOut(
        set,
        ended.map(job => job.physical),
      ),
    )
  await set.write(statements)
  for (const job of ended) set.emit({ kind: 'job-done', severity: 'info', job: jobName(job) })
}

function unanswered(name: string): StorageError {
  return new StorageError('internal', `${name} gave no result for a target`, { retryable: true })
}
