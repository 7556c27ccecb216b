import type { Job } from 'bullmq'
import { endedError } from '../../core/deadline.ts'
import { isStorageError } from '../../core/errors.ts'
import type { Migration } from '../migrate.ts'
import type { JobCounts, WorkOptions } from './migration-jobs.ts'
import type { JobWorker, OpenQueue } from './open-queue.ts'
import { type ClaimSettings, withClaim } from './range-claim.ts'
import { type RangeJob, rangeId } from './range-job.ts'

/** What this process did. */
export interface WorkReport {
  readonly jobs: number
  readonly copied: number
  readonly copiedBytes: number
  /** Objects that were given up: another run tries them again. */
  readonly failed: number
  readonly verified: number
}

/** A worker that dies with its job is no fault of the job. */
const MOST_STALLS = 1_000_000

export async function workOn(
  { bullmq, name, prefix, connection }: OpenQueue,
  migrationOf: (job: RangeJob) => Migration,
  claims: ClaimSettings,
  {
    concurrency = 1,
    untilDone = false,
    signal,
    onEvent,
    onFailure,
    idle,
  }: WorkOptions & { idle: (options: { signal: AbortSignal }) => Promise<JobCounts> },
): Promise<WorkReport> {
  const report = { jobs: 0, copied: 0, copiedBytes: 0, failed: 0, verified: 0 }
  const ending = new AbortController()
  const end = () => ending.abort(signal?.reason)
  if (signal?.aborted) end()
  signal?.addEventListener('abort', end, { once: true })
  const { leaseMs } = claims
  const worker: JobWorker = new bullmq.Worker(name, process, {
    connection: connection(),
    prefix,
    concurrency,
    lockDuration: leaseMs,
    stalledInterval: leaseMs,
    maxStalledCount: MOST_STALLS,
  })
  // Redis is away: the worker connects again by itself.
  worker.on('error', () => {})
  worker.on('failed', (job, error) => {
    const final = job === undefined || job.finishedOn !== undefined
    onFailure?.({ error, final })
  })
  try {
    await worker.waitUntilReady()
    if (untilDone) await idle({ signal: ending.signal })
    else await ended(ending.signal)
  } catch (error) {
    if (!ending.signal.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', end)
    ending.abort()
    await worker.close()
  }
  return report

  async function process(job: Job<RangeJob, void, string>, token?: string): Promise<void> {
    try {
      await withClaim(claims, rangeId(job.data), ending.signal, inside => doRange(job.data, inside))
      report.jobs++
    } catch (error) {
      if (ending.signal.aborted) {
        await job.moveToWait(token)
        throw new bullmq.WaitingError()
      }
      if (isStorageError(error, 'unauthenticated', 'permission-denied', 'invalid-argument'))
        throw Object.assign(new bullmq.UnrecoverableError(error.message), { cause: error })
      throw error
    }
  }

  async function doRange(job: RangeJob, inside: AbortSignal): Promise<void> {
    const { kind, level, after, through } = job
    const migration = migrationOf(job)
    const range = {
      ...(after === undefined ? {} : { after }),
      ...(through === undefined ? {} : { through }),
    }
    if (inside.aborted) throw endedError(inside, 'migrate', 'migrate')
    if (kind === 'verify') {
      const steps = migration.verify({ range, signal: inside, ...(level === undefined ? {} : { level }) })
      for await (const event of steps) await onEvent?.(event)
      report.verified += (await steps).checked
      return
    }
    const steps = migration.run({ range, signal: inside })
    for await (const event of steps) await onEvent?.(event)
    const { copied, copiedBytes, failed } = await steps
    report.copied += copied
    report.copiedBytes += copiedBytes
    report.failed += failed
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
