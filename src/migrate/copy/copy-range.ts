import { eitherSignal, endedError } from '../../core/deadline.ts'
import { StorageError } from '../../core/errors.ts'
import { OwnSignals } from '../../core/own-signals.ts'
import type { Manifest, ManifestRow, RowRange } from '../manifest.ts'
import type { OnEvent } from '../migration-event.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'
import { Budget } from './budget.ts'
import type { CopyContext, CopyTask } from './copy-context.ts'
import { knownWork } from './copy-progress.ts'
import type { CopySettings } from './copy-settings.ts'
import { CopyTotals } from './copy-totals.ts'
import { type CopyFailure, copyTries } from './copy-tries.ts'
import { pace } from './pace.ts'
import { PartBuffers } from './part-buffers.ts'
import { RowKeeper } from './row-keeper.ts'
import { UnderWay } from './under-way.ts'

export interface CopyRangeOptions {
  /** Only these source keys. Default: all. */
  readonly range?: RowRange | undefined
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: OnEvent | undefined
}

/** What a copy of planned objects came to. */
export interface CopySummary {
  readonly copied: number
  readonly copiedBytes: number
  /** Of these, sent by an earlier process that did not come to the end. */
  readonly resumedBytes: number
  /** Copied as the source is now, which is not what was planned. */
  readonly changed: number
  /** Planned, and no longer at the source. */
  readonly gone: number
  readonly failed: number
  /** Another object is in their place. */
  readonly refused: number
}

/** So many objects given up in a row, with none copied between: a store is down, and the rest would fail alike. */
const MOST_FAILURES_IN_A_ROW = 50

/** Large objects under way at once: while one is begun or completed, parts of the others fill the line. */
const MOST_LARGE = 4

/**
 * Copies what is planned, and tries again what had failed. Makes no plan and lists nothing. What has arrived is in the manifest
 * when its event is told; a process that is killed repeats at most what it had under way.
 *
 * @throws `aborted`; `unauthenticated`; `not-found` for a missing bucket; `unavailable` where a store is down for so long that many
 *   objects in a row were given up; what the manifest throws. All that was under way has ended by then
 */
export async function copyRange(
  settings: CopySettings,
  manifest: Manifest,
  options: CopyRangeOptions = {},
): Promise<CopySummary> {
  const { range = {}, signal = settings.signal, onEvent = () => undefined } = options
  const counts = await manifest.counts(range)
  const totals = new CopyTotals(counts, onEvent)
  if (totals.left === 0) return totals.summary()

  const ending = new AbortController()
  const run = eitherSignal(signal, ending.signal)
  const { limits, now, random, sleep, to, from } = settings
  const keeper = new RowKeeper(manifest, { sleep, signal: run })
  const limit = new AdaptiveLimit({
    ...(limits.concurrency === undefined
      ? { most: limits.maxConcurrency }
      : { most: limits.concurrency, least: limits.concurrency }),
    now,
    onChange: (value, reason) => totals.tell({ kind: 'concurrency', limit: value, reason }),
  })
  const failures: unknown[] = []
  const stop = (error: unknown) => {
    failures.push(error)
    ending.abort(error)
  }
  if (from.capabilities.conditionalRead === 'unknown')
    await from.probe({ only: ['conditionalRead'], signal: run })
  // The first objects are read meanwhile.
  const ready = Promise.all([to.clock({ signal: run }), probed(settings, run)]).then(([clock]) => ({
    since: clock.getTime(),
  }))
  ready.catch(stop)
  const context: CopyContext = {
    settings,
    signal: run,
    limit,
    budget: new Budget(limits.bytesInFlight),
    large: new Budget(MOST_LARGE),
    buffers: new PartBuffers(limits.partBytes),
    pace: pace(limits, { now, sleep }),
    ready,
    keep: (task, work) => keeper.keep(task, work),
    part: (key, bytes) => totals.part(key, bytes),
    lost: (key, names) => totals.lost(key, names),
  }
  const signals = new OwnSignals(run)
  const underWay = new UnderWay()
  try {
    for await (const row of manifest.rows({ ...range, states: ['planned', 'failed'] })) {
      if (run.aborted) break
      underWay.add(copyRow(row).catch(stop))
      // Those that have their slot, those that will have the next ones, and those that are being recorded.
      await underWay.below(3 * limit.limit)
      await totals.caughtUp()
    }
  } catch (error) {
    stop(error)
  }
  await underWay.below(1)
  await totals.keepLost(manifest)
  if (signal?.aborted) throw endedError(signal, 'migrate', from.name)
  if (failures.length > 0) throw failures[0]
  return totals.summary()

  async function copyRow(row: ManifestRow): Promise<void> {
    const task: CopyTask = { row, work: knownWork(row), revision: row.revision }
    const outcome = await signals.during(signal =>
      copyTries({ ...context, signal }, task, { sleep, random, onRetry: event => totals.tell(event) }),
    )
    await keeper.record(task, outcome)
    totals.ended(row, outcome)
    if (outcome.kind === 'failed' && totals.failedInARow >= MOST_FAILURES_IN_A_ROW) throw givingUp(outcome)
  }
}

/** Whether conditions are kept must be known before the first object is put: an `unknown` is asked for once. */
async function probed({ to }: CopySettings, signal: AbortSignal): Promise<void> {
  const { createOnly, conditionalReplace } = to.capabilities
  if (createOnly === 'unknown' || conditionalReplace === 'unknown')
    await to.probe({ only: ['createOnly', 'conditionalReplace'], signal })
}

function givingUp({ error }: CopyFailure): StorageError {
  return new StorageError(
    error.code,
    `migrate: stopped, since ${MOST_FAILURES_IN_A_ROW} objects in a row failed, the last with: ${error.message}`,
    { operation: 'migrate', retryable: false, cause: error },
  )
}
