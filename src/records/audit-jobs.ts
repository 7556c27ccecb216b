/** Jobs that don't go on by themselves: their owner is gone, nobody takes them, or they were tried too often. */
import { ownerState } from '../core/process-owner.ts'
import type { AuditFinding } from './audit-finding.ts'
import { jobName } from './job-failure.ts'
import type { Job } from './journal-row.ts'
import type { RecordSet } from './record-set.ts'

/** Owners whose beats are watched during an audit; beyond that nothing is said of a job. */
const MOST_WATCHED = 10_000
const PAGE = 500

/** The beats of owned jobs, as they were when the audit began. */
export interface BeatWatch {
  readonly beats: ReadonlyMap<string, string>
  /** By this process's own monotonic clock. */
  readonly since: number
}

export async function watchBeats(set: RecordSet, now: number): Promise<BeatWatch> {
  const rows = await set.query(
    [
      `SELECT id, fence, beat FROM ${set.table('journal')} WHERE owner <> '' AND stuck = 0 AND due_at <= ? ORDER BY due_at LIMIT ${MOST_WATCHED}`,
      BigInt(now),
    ],
    { consistency: 'linearizable' },
  )
  const beats = new Map(rows.map(row => [String(row.id), `${row.fence}/${row.beat}`]))
  return { beats, since: set.monotonic() }
}

export interface JobsAudit {
  readonly watch: BeatWatch
  /** The store's time when the audit began. */
  readonly now: number
  /** What nobody owns may wait so long for a worker. */
  readonly staleMs: number
  readonly signal: AbortSignal | undefined
  onJob(): void
  onFinding(finding: AuditFinding, job: Job): void | Promise<void>
}

export async function auditJobs(set: RecordSet, audit: JobsAudit): Promise<void> {
  for (let after = ''; ; ) {
    const jobs = await set.jobs([`id > ? ORDER BY id LIMIT ${PAGE}`, after], { signal: audit.signal })
    for (const _ of jobs) audit.onJob()
    const idle = jobs.filter(job => job.stuck || isIdle(set, job, audit))
    for (const job of await unchanged(set, idle, audit)) await audit.onFinding(findingOf(job), job)
    if (jobs.length < PAGE) return
    after = jobs.at(-1)!.id
  }
}

function isIdle(set: RecordSet, job: Job, { now, staleMs, watch }: JobsAudit): boolean {
  if (job.dueAt > now) return false
  if (job.owner === '') return job.dueAt + staleMs < now
  if (job.owner !== set.owner && ownerState(job.owner) === 'ended') return true
  return job.dueAt + staleMs < now && watch.beats.get(job.id) === beatOf(job)
}

/** Those on which nobody has worked since: an owner that may be alive has had its lease's time to show it. */
async function unchanged(set: RecordSet, jobs: readonly Job[], { watch, signal }: JobsAudit): Promise<Job[]> {
  if (jobs.length === 0) return []
  const left = watch.since + set.settings.leaseMs - set.monotonic()
  const mayLive = jobs.some(job => !job.stuck && job.owner !== '' && ownerState(job.owner) !== 'ended')
  if (mayLive && left > 0) await set.wait(left, signal)
  const marks = jobs.map(() => '?').join(', ')
  const again = await set.jobs([`id IN (${marks})`, ...jobs.map(({ id }) => id)], {
    consistency: 'linearizable',
  })
  const now = new Map(again.map(job => [job.id, beatOf(job)]))
  return jobs.filter(job => now.get(job.id) === beatOf(job))
}

function findingOf(job: Job): AuditFinding {
  const name = jobName(job)
  const { attempts, error } = job
  if (job.stuck) return { kind: 'stuck-job', job: name, attempts, ...(error === undefined ? {} : { error }) }
  if (job.kind === 'write') return { kind: 'stale-intent', job: name, createdAt: new Date(job.createdAt) }
  return { kind: 'overdue-job', job: name, dueAt: new Date(job.dueAt) }
}

function beatOf({ fence, beat }: Job): string {
  return `${fence}/${beat}`
}
