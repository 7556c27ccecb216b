import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { Engine } from '../../sql/engine.ts'
import { prepareClaims } from '../claim.ts'
import { type Migration, migrate } from '../migrate.ts'
import type { ExistingObjects, MigrateOptions, VerifyLevel } from '../migrate-options.ts'
import type { OnEvent } from '../migration-event.ts'
import { checkedSettings } from '../plan/checked-settings.ts'
import { hasPlan } from '../plan/plan-migration.ts'
import { assertSettings } from '../plan/stored-settings.ts'
import { type OpenQueue, openQueue, unavailable } from './open-queue.ts'
import type { ClaimSettings } from './range-claim.ts'
import { type RangeJob, rangeId, splitRanges } from './range-job.ts'
import { type WorkReport, workOn } from './work-on.ts'

export interface MigrationJobsOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://…`. */
  redis: string
  /** Stands before all keys in Redis. Default: `stowage`. */
  prefix?: string
  /** Objects of a job, at most. Default: 2,000. */
  objectsPerJob?: number
  /** Bytes of a job, at most, but for a single object. Default: 4 GiB. */
  bytesPerJob?: number
  /** Milliseconds after which the job of a silent worker is another's. Default: 30,000. */
  leaseMs?: number
  /** Default: `crypto.randomUUID`. */
  newId?: () => string
  /** Default: a timer. */
  sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** Milliseconds that only ever grow. Default: `performance.now`. */
  elapsed?: () => number
}

export interface WorkOptions {
  /** Jobs at once in this process. Each finds out how many objects at once are best. Default: 1. */
  concurrency?: number
  /** Ends when no job is left. Default: false, until `signal` ends it. */
  untilDone?: boolean
  /** When it ends, jobs are given back: what they have copied is in the manifest. */
  signal?: AbortSignal
  onEvent?: OnEvent
  /** Told of a job that failed and will be tried again, or was given up (`final`). */
  onFailure?: (failure: { readonly error: unknown; readonly final: boolean }) => void
}

export interface JobCounts {
  /** Waiting for a worker. */
  readonly waiting: number
  readonly active: number
  /** Given up after five tries. */
  readonly failed: number
}

/** One migration as jobs for any number of machines. */
export interface MigrationJobs {
  /**
   * Cuts what is planned, or with `verify` what is copied, into ranges of keys and queues a job for each.
   *
   * @throws `conflict` where there is no plan, or where jobs of this migration are still in the queue
   */
  enqueue(options?: { verify?: VerifyLevel }): Promise<{ jobs: number; objects: number; bytes: number }>
  /** Takes jobs and does them. @throws `conflict` where the migration has begun with other stores or rules */
  work(options?: WorkOptions): Promise<WorkReport>
  counts(): Promise<JobCounts>
  /** Resolves when no job is waiting or active. */
  idle(options?: {
    signal?: AbortSignal
    onCounts?: (counts: JobCounts) => void | Promise<void>
  }): Promise<JobCounts>
  close(): Promise<void>
}

const POLL_MS = 500
const TRIES = 5

/**
 * Spreads a migration over machines, by BullMQ on Redis: one process plans and calls `enqueue`, any number of others call `work`.
 * Needs the packages `bullmq` and `ioredis`. A job holds a range of keys, and whether what is in their place may be replaced; what was done is in the manifest, which all of
 * them must reach: rqlite or PostgreSQL. All processes give the same options.
 *
 * A worker that is killed or stands still loses its job to another after `leaseMs`. Each range is also claimed in the manifest's database, so that
 * one that comes back does at most what it had under way.
 *
 * @throws `invalid-argument`; methods: `unsupported` where a package is missing, `unavailable` where Redis does not answer
 * @example
 * ```ts
 * const jobs = migrationJobs({ from: files, to: store, manifest: engine }, { redis: 'redis://127.0.0.1:6379' })
 * const { copied, failed } = await jobs.work({ untilDone: true })
 * await jobs.close()
 * ```
 */
export function migrationJobs(migration: MigrateOptions, options: MigrationJobsOptions): MigrationJobs {
  const settings = checked(options)
  const whole = migrate(migration)
  const { manifest: engine, name = 'default', existing } = migration
  const wholes = new Map([[existing, whole]])
  const migrationOf = (job: RangeJob): Migration => {
    const { existing: wanted = existing } = job
    const known = wholes.get(wanted) ?? migrate({ ...migration, existing: wanted! })
    wholes.set(wanted, known)
    return known
  }
  let opened: Promise<OpenQueue> | undefined
  const queueOf = () => {
    // A failure is not kept: Redis may be there the next time.
    opened ??= openQueue(options.redis, `migration-${name}`, settings.prefix).catch(error => {
      opened = undefined
      throw error
    })
    return opened
  }
  const asked = async <T>(ask: (opened: OpenQueue) => Promise<T>): Promise<T> => {
    const queue = await queueOf()
    return ask(queue).catch(error => {
      throw error instanceof StorageError ? error : unavailable(error)
    })
  }
  const counts = () =>
    asked(async ({ queue }): Promise<JobCounts> => {
      const found = await queue.getJobCounts('wait', 'active', 'delayed', 'failed')
      const { wait = 0, active = 0, delayed = 0, failed = 0 } = found
      return { waiting: wait + delayed, active, failed }
    })
  const idle: MigrationJobs['idle'] = async ({ signal, onCounts } = {}) => {
    for (;;) {
      const now = await counts()
      await onCounts?.(now)
      if (now.waiting + now.active === 0) return now
      await settings.sleep(POLL_MS, signal)
    }
  }
  return {
    counts,
    idle,
    async enqueue({ verify } = {}) {
      const { waiting, active } = await counts()
      if (waiting + active > 0)
        throw refused(
          `${waiting + active} jobs of this migration are still in the queue; let workers do them first`,
        )
      return asked(opened => enqueueRanges(opened, whole, { ...settings, name, existing, verify }))
    },
    async work(given = {}) {
      // Before jobs are taken: those that fail here are tried no more often elsewhere.
      await assertSettings(await whole.manifest(), checkedSettings(migration))
      const opened = await queueOf()
      const claims: ClaimSettings = { ...settings, engine: engine as Engine }
      await prepareClaims(claims)
      return workOn(opened, migrationOf, claims, { ...given, idle })
    },
    async close() {
      await (await opened?.catch(() => undefined))?.close()
    },
  }
}

async function enqueueRanges(
  { queue }: OpenQueue,
  migration: Migration,
  {
    name,
    existing,
    verify,
    objectsPerJob,
    bytesPerJob,
  }: {
    name: string
    existing: ExistingObjects | undefined
    verify: VerifyLevel | undefined
    objectsPerJob: number
    bytesPerJob: number
  },
): Promise<{ jobs: number; objects: number; bytes: number }> {
  const manifest = await migration.manifest()
  if (!(await hasPlan(manifest))) throw refused('there is no whole plan yet; make one by plan()')
  // Of earlier runs: a job of the same range would be taken for one of them.
  for (const state of ['failed', 'completed'] as const) await queue.clean(0, 0, state)
  const kind = verify === undefined ? 'copy' : 'verify'
  const total = { jobs: 0, objects: 0, bytes: 0 }
  for await (const range of splitRanges(manifest, kind, { objects: objectsPerJob, bytes: bytesPerJob })) {
    const { bytes, ...rest } = range
    const job: RangeJob = {
      kind,
      name,
      ...rest,
      ...(verify === undefined ? {} : { level: verify }),
      ...(existing === undefined ? {} : { existing }),
    }
    await queue.add(kind, job, {
      jobId: rangeId(job),
      attempts: TRIES,
      backoff: { type: 'exponential', delay: 2_000 },
      removeOnComplete: true,
    })
    total.jobs++
    total.objects += range.objects
    total.bytes += bytes
  }
  return total
}

function checked(options: MigrationJobsOptions) {
  assertFactoryOptions('migrationJobs', options, {
    redis: 'string',
    prefix: 'string',
    objectsPerJob: 'number',
    bytesPerJob: 'number',
    leaseMs: 'number',
    newId: 'function',
    sleep: 'function',
    elapsed: 'function',
  })
  const {
    redis,
    prefix = 'stowage',
    objectsPerJob = 2_000,
    bytesPerJob = 4 * 2 ** 30,
    leaseMs = 30_000,
  } = options
  if (redis === undefined || !/^rediss?:\/\//.test(redis))
    throw invalid('redis must be a URL: redis://127.0.0.1:6379')
  for (const [option, value] of Object.entries({ objectsPerJob, bytesPerJob }))
    if (!Number.isInteger(value) || value < 1) throw invalid(`${option} must be a whole number of at least 1`)
  if (!(leaseMs >= 500)) throw invalid('leaseMs must be a number of at least 500')
  const {
    newId = randomUUID,
    sleep = (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
    elapsed = () => performance.now(),
  } = options
  return { prefix, objectsPerJob, bytesPerJob, leaseMs, newId, sleep, elapsed }
}

function invalid(problem: string): StorageError {
  return new StorageError('invalid-argument', `migrationJobs: ${problem}`)
}

function refused(problem: string): StorageError {
  return new StorageError('conflict', `migrationJobs: ${problem}`, { operation: 'migrate', retryable: false })
}
