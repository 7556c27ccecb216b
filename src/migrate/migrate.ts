import { StorageError } from '../core/errors.ts'
import { type CopySummary, copyRange } from './copy/copy-range.ts'
import { openManifest } from './manifest/open-manifest.ts'
import type { Manifest, ManifestCounts, RowRange } from './manifest.ts'
import type { MigrateOptions, VerifyLevel } from './migrate-options.ts'
import type { MigrationEvent, MigrationResult, OnEvent } from './migration-event.ts'
import type { MigrationPlan } from './migration-plan.ts'
import { checkedSettings, type MigrationSettings } from './plan/checked-settings.ts'
import { hasPlan, planMigration } from './plan/plan-migration.ts'
import { assertSettings } from './plan/stored-settings.ts'
import { runWhole } from './run-whole.ts'
import { type Steps, steps } from './steps.ts'
import { type StrayCounts, strayCounts } from './verify/strays.ts'
import type { VerificationSummary } from './verify/verification-summary.ts'
import { verifyMigration } from './verify/verify-migration.ts'

/**
 * A migration, piece by piece, or as a whole by iterating over it: it is planned, copied, planned and copied again until the
 * source brings nothing new (five times at most), and verified; the last event is `done`.
 */
export interface Migration extends AsyncIterable<MigrationEvent> {
  /** Lists both sides and notes what has to be done. Copies nothing: a dry run. */
  plan(options?: StepOptions): Steps<MigrationPlan>
  /** Copies what is planned, and tries again what had failed. @throws `conflict` where there is no plan, or another began it */
  run(options?: RangeOptions): Steps<CopySummary>
  /** Holds both sides against each other. Default: the level of the options. */
  verify(options?: RangeOptions & { level?: VerifyLevel }): Steps<VerificationSummary>
  /** From the manifest alone. */
  status(): Promise<MigrationStatus>
  /** The rows. */
  manifest(): Promise<Manifest>
}

export interface StepOptions {
  signal?: AbortSignal
}

export interface RangeOptions extends StepOptions {
  /** Only these source keys. */
  range?: RowRange
}

export interface MigrationStatus extends ManifestCounts {
  /**
   * `new`: no plan was made, or it was broken off. `planned`: nothing is copied yet. `copying`: something is left to copy, whether or not a
   * process is at it. `copied`: nothing is left. `verified`: and all of it matches, with nothing on one side
   * only, as far as was looked.
   */
  readonly phase: 'new' | 'planned' | 'copying' | 'copied' | 'verified'
}

/**
 * Moves objects from one provider to another. Nothing is deleted, at the source or at the destination, and what is at the
 * destination and not put there by this migration is not overwritten, unless `existing` says so.
 *
 * The state is in the manifest, so that a process that is killed at any moment repeats at most what it had under way, and a
 * finished migration that is run again costs the two lists. How much is under way at once is found out while it runs.
 *
 * @throws `invalid-argument` for an unknown option, or one that is no such thing
 * @example
 * ```ts
 * const state = sqlite({ path: './migration.db' })
 * for await (const event of migrate({ from: files, to: s3({ bucket: 'new' }), manifest: state })) {
 *   if (event.kind === 'failed') console.error(event.row.sourceKey, event.error.message)
 *   if (event.kind === 'done') console.log(event.result.complete ? 'all of it matches' : event.result.statuses)
 * }
 * ```
 */
export function migrate(options: MigrateOptions): Migration {
  const settings = checkedSettings(options)
  let opened: Promise<Manifest> | undefined
  const manifest = () => {
    // A failure is not kept: the database may be there the next time.
    opened ??= openManifest(settings.engine, settings.name, { now: settings.now }).catch(error => {
      opened = undefined
      throw error
    })
    return opened
  }
  const step = <Result>(
    { signal }: StepOptions,
    work: (manifest: Manifest, signal: AbortSignal, onEvent: OnEvent) => Promise<Result>,
  ): Steps<Result> =>
    steps(
      async (onEvent, ending) => work(await manifest(), ending, onEvent),
      [settings.signal, signal].filter(given => given !== undefined),
    )
  return {
    manifest,
    plan: (given = {}) =>
      step(given, (rows, signal, onEvent) => planMigration(settings, rows, { signal, onEvent })),
    run: (given = {}) =>
      step(given, async (rows, signal, onEvent) => {
        if (!(await hasPlan(rows)) || !(await assertSettings(rows, settings))) throw noPlan(settings)
        return copyRange(settings, rows, { range: given.range, signal, onEvent })
      }),
    verify: (given = {}) =>
      step(given, async (rows, signal, onEvent) => {
        await assertSettings(rows, settings)
        const { level, range } = given
        return verifyMigration(settings, rows, { level, range, signal, onEvent })
      }),
    status: async () => statusOf(await manifest()),
    [Symbol.asyncIterator]: () =>
      step<MigrationResult>({}, (rows, signal, onEvent) => whole(settings, rows, signal, onEvent))[
        Symbol.asyncIterator
      ](),
  }
}

function whole(settings: MigrationSettings, manifest: Manifest, signal: AbortSignal, onEvent: OnEvent) {
  return runWhole(settings, manifest, {
    signal,
    onEvent,
    async copyPlanned(signal) {
      const { copied, copiedBytes, changed, gone } = await copyRange(settings, manifest, { signal, onEvent })
      return { copied, copiedBytes, goesOn: copied + changed + gone > 0 }
    },
  })
}

async function statusOf(manifest: Manifest): Promise<MigrationStatus> {
  const [isPlanned, counts, strays] = await Promise.all([
    hasPlan(manifest),
    manifest.counts(),
    strayCounts(manifest),
  ])
  return { ...counts, phase: isPlanned ? phaseOf(counts, strays) : 'new' }
}

function phaseOf(
  { byState, byStatus }: ManifestCounts,
  { source, destination }: StrayCounts,
): MigrationStatus['phase'] {
  const isLeft = byState.planned.objects + byState.failed.objects > 0
  if (isLeft) return byState.copied.objects === 0 ? 'planned' : 'copying'
  const isVerified = Object.entries(byStatus).every(
    ([status, { objects }]) => status === 'match' || objects === 0,
  )
  return isVerified && source + destination === 0 ? 'verified' : 'copied'
}

function noPlan({ to }: MigrationSettings): StorageError {
  return new StorageError(
    'conflict',
    'migrate: there is no whole plan of these stores and rules yet; make one by plan()',
    {
      operation: 'migrate',
      provider: to.name,
      retryable: false,
    },
  )
}
