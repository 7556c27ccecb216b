import { migrate } from '../migrate.ts'
import type { MigrateOptions } from '../migrate-options.ts'
import type { MigrationResult, OnEvent } from '../migration-event.ts'
import { checkedSettings } from '../plan/checked-settings.ts'
import { planMigration } from '../plan/plan-migration.ts'
import { verifyMigration } from '../verify/verify-migration.ts'
import type { JobCounts, MigrationJobs } from './migration-jobs.ts'

export interface RunOnWorkersOptions {
  signal?: AbortSignal
  /** Of planning and verifying, which this process does. */
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

/** A source that changes all the time never comes to an end: that is what a cut-over is for. */
const MOST_PASSES = 5

/**
 * A whole migration whose objects are copied by the workers of `jobs`: planned here, copied there, planned again until the source
 * brings nothing new, and verified here. Waits for as long as there is no worker. Workers keep their jobs when this ends early; started
 * again it waits for them first.
 *
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
  { signal, onEvent = () => undefined, onProgress }: RunOnWorkersOptions = {},
): Promise<MigrationResult> {
  const settings = checkedSettings(migration)
  const manifest = await migrate(migration).manifest()
  const begun = settings.now()
  const before = (await manifest.counts()).byState.copied
  const given = signal === undefined ? {} : { signal }
  await wait()
  for (let pass = 1; pass <= MOST_PASSES; pass++) {
    const plan = await planMigration(settings, manifest, { ...given, onEvent })
    if (plan.toCopy.objects === 0) break
    const arrived = (await manifest.counts()).byState.copied.objects
    await jobs.enqueue()
    await wait()
    // The same failures again and again bring nothing.
    if ((await manifest.counts()).byState.copied.objects === arrived) break
  }
  const summary = await verifyMigration(settings, manifest, {
    level: settings.verify,
    pendingOnly: true,
    ...given,
    onEvent,
  })
  const { byState } = await manifest.counts()
  return {
    complete: summary.complete,
    copied: Math.max(0, byState.copied.objects - before.objects),
    copiedBytes: Math.max(0, byState.copied.bytes - before.bytes),
    failed: byState.failed.objects,
    refused: byState.refused.objects,
    statuses: summary.statuses,
    seconds: (settings.now() - begun) / 1000,
  }

  async function wait(): Promise<void> {
    await jobs.idle({
      ...given,
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
