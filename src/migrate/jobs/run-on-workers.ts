import { migrate } from '../migrate.ts'
import type { MigrateOptions } from '../migrate-options.ts'
import type { MigrationResult, OnEvent } from '../migration-event.ts'
import { checkedSettings } from '../plan/checked-settings.ts'
import { type Copied, runWhole } from '../run-whole.ts'
import type { JobCounts, MigrationJobs } from './migration-jobs.ts'

export interface RunOnWorkersOptions {
  signal?: AbortSignal
  /** Of all that this process does: planning, verifying, and what is to be repaired. */
  onEvent?: OnEvent
  /** While workers copy: jobs, and what has arrived. */
  onProgress?: (
    progress: JobCounts & {
      readonly copiedObjects: number
      readonly copiedBytes: number
      readonly totalObjects: number
      readonly totalBytes: number
    },
  ) => void | Promise<void>
}

/**
 * A whole migration whose objects are copied by the workers of `jobs`: planned here, copied there, planned again until the source
 * brings nothing new, verified here, and where the options say `repair`, what differs is copied there once more. Waits for as long as
 * there is no worker. Workers keep their jobs when this ends early; started again it waits for them first.
 *
 * @throws `conflict` where another process is at it, unless the options say `beside`
 * @example
 * ```ts
 * const migration = { from: files, to: store, manifest: engine }
 * const jobs = migrationJobs(migration, { redis: 'redis://127.0.0.1:6379' })
 * const { complete } = await runOnWorkers(migration, jobs)
 * await jobs.close()
 * ```
 */
export async function runOnWorkers(
  migration: MigrateOptions,
  jobs: MigrationJobs,
  options: RunOnWorkersOptions = {},
): Promise<MigrationResult> {
  const { signal = new AbortController().signal, onEvent = () => undefined, onProgress } = options
  const settings = checkedSettings(migration)
  const manifest = await migrate(migration).manifest()
  const copiedSoFar = async () => (await manifest.counts()).byState.copied
  const copiedWhile = async (work: () => Promise<unknown>): Promise<Copied> => {
    const before = await copiedSoFar()
    await work()
    const after = await copiedSoFar()
    const copied = Math.max(0, after.objects - before.objects)
    return { copied, copiedBytes: Math.max(0, after.bytes - before.bytes), goesOn: copied > 0 }
  }
  return runWhole(settings, manifest, {
    signal,
    onEvent,
    finishEarlier: signal => copiedWhile(() => idle(signal)),
    copyPlanned: signal =>
      copiedWhile(async () => {
        await jobs.enqueue()
        await idle(signal)
      }),
  })

  async function idle(signal: AbortSignal): Promise<void> {
    await jobs.idle({
      signal,
      async onCounts(counts) {
        if (onProgress === undefined) return
        const { copied, planned, failed } = (await manifest.counts()).byState
        await onProgress({
          ...counts,
          copiedObjects: copied.objects,
          copiedBytes: copied.bytes,
          totalObjects: copied.objects + planned.objects + failed.objects,
          totalBytes: copied.bytes + planned.bytes + failed.bytes,
        })
      },
    })
  }
}
