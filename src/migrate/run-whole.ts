import type { Manifest } from './manifest.ts'
import type { VerifyLevel } from './migrate-options.ts'
import type { MigrationResult, OnEvent } from './migration-event.ts'
import type { MigrationSettings } from './plan/checked-settings.ts'
import { planMigration } from './plan/plan-migration.ts'
import { withRunClaim } from './run-claim.ts'
import { higherLevel } from './verify/check-rows.ts'
import { planRepairs } from './verify/plan-repairs.ts'
import type { VerificationSummary } from './verify/verification-summary.ts'
import { verifyMigration } from './verify/verify-migration.ts'

/** What came of copying what was planned. */
export interface Copied {
  readonly copied: number
  readonly copiedBytes: number
  /** Whether another plan may find what is left to do: the same failures again and again bring nothing. */
  readonly goesOn: boolean
}

export interface RunWholeOptions {
  readonly signal: AbortSignal
  readonly onEvent: OnEvent
  /** Waits for what an earlier run has left under way. */
  readonly finishEarlier?: (signal: AbortSignal) => Promise<Copied>
  /** Copies what is planned: in this process, or by others that are waited for. */
  readonly copyPlanned: (signal: AbortSignal) => Promise<Copied>
}

/** A source that changes all the time never comes to an end: that is what a cut-over is for. */
const MOST_PASSES = 5

/**
 * Plan, copy, and again until a plan finds nothing: what changed at the source while it was copied is found by listing it
 * once more, which costs next to nothing. Then it is verified what has come, and what differs
 * is copied once more, where that is asked for.
 *
 * @throws `conflict` where another process is at it, unless the settings say `beside`
 */
export function runWhole(
  settings: MigrationSettings,
  manifest: Manifest,
  options: RunWholeOptions,
): Promise<MigrationResult> {
  const { engine, name, beside } = settings
  if (beside) return planCopyVerify(settings, manifest, options)
  return withRunClaim({ engine, name, signal: options.signal }, signal =>
    planCopyVerify(settings, manifest, { ...options, signal }),
  )
}

async function planCopyVerify(
  settings: MigrationSettings,
  manifest: Manifest,
  { signal, onEvent, finishEarlier, copyPlanned }: RunWholeOptions,
): Promise<MigrationResult> {
  const { now, verify, repair } = settings
  const begun = now()
  const total = { copied: 0, copiedBytes: 0 }
  if (finishEarlier !== undefined) add(await finishEarlier(signal))
  await copyAll()
  let summary = await verifyAll(verify)
  let repaired = 0
  if (repair) {
    const repairs = await planRepairs(manifest, onEvent)
    repaired = repairs.objects
    if (repaired > 0) {
      await copyAll()
      summary = await verifyAll(higherLevel(verify, repairs.level))
    }
  }
  const { byState } = await manifest.counts()
  const result: MigrationResult = {
    complete: summary.complete,
    ...total,
    ...(repair ? { repaired } : {}),
    failed: byState.failed.objects,
    refused: byState.refused.objects,
    statuses: summary.statuses,
    seconds: (now() - begun) / 1000,
  }
  await onEvent({ kind: 'done', result })
  return result

  async function copyAll(): Promise<void> {
    for (let pass = 1; ; pass++) {
      const plan = await planMigration(settings, manifest, { signal, onEvent })
      if (plan.toCopy.objects === 0 || pass > MOST_PASSES) return
      const copied = await copyPlanned(signal)
      add(copied)
      if (!copied.goesOn) return
    }
  }

  function add({ copied, copiedBytes }: Copied): void {
    total.copied += copied
    total.copiedBytes += copiedBytes
  }

  function verifyAll(level: VerifyLevel): Promise<VerificationSummary> {
    return verifyMigration(settings, manifest, { level, pendingOnly: true, signal, onEvent })
  }
}
