import { setTimeout as delay } from 'node:timers/promises'
import type { Manifest, ManifestRow, RowRange } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { OnEvent } from '../migration-event.ts'
import type { MigrationSettings } from '../plan/checked-settings.ts'
import { destinationsOf } from '../plan/destination-key.ts'
import { type CheckRowsOptions, checkRows, isLookedAt, isVerified } from './check-rows.ts'
import { compareDestination } from './compare-destination.ts'
import { compareSource } from './compare-source.ts'
import { recheckStrays } from './recheck-strays.ts'
import { StrayLog, strayCounts } from './strays.ts'
import { isComplete, statusesOf, type VerificationSummary } from './verification-summary.ts'
import { beginVerifyRun, isBehind, writeVerifyRun } from './verify-run.ts'

export interface VerifyMigrationOptions {
  /** Default: that of the settings. */
  level?: VerifyLevel | undefined
  /** Only these rows. Then the destination is not listed, and what is there besides them is not looked for. */
  range?: RowRange | undefined
  /**
   * Only copied objects that do not match yet at this level or a higher one, and no listing: for the end of a run whose
   * plan has just listed both sides. Costs no request where all are known to match.
   */
  pendingOnly?: boolean
  signal?: AbortSignal | undefined
  onEvent?: OnEvent | undefined
  /** From 0 to 1, for waits. Default `Math.random`. */
  random?: (() => number) | undefined
  /** Waits so many milliseconds, or until the signal ends. Default: a timer. */
  sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<unknown>) | undefined
}

/**
 * Holds both sides against each other and against what was written down while copying; the statuses go into the manifest.
 *
 * - `attributes`: both sides are listed; each copy is asked for its attributes, one request an object. Size, etag, type,
 *   headers and metadata are what was sent, and the source has what was copied.
 * - `checksum`: the destination proves the bytes besides: it tells a checksum which is the one taken while copying, or the
 *   one that the source tells; or it refuses uploads with another SHA-256 than was sent, and the object has the etag that
 *   the upload was answered with. What it can't prove is `unverified`.
 * - `content`: both sides are read in full and hashed again. Finds what nothing else does: bytes that changed under the
 *   same size and etag.
 *
 * A verification of the whole that was killed goes on where it was, within a day. Memory does not grow with the number of objects.
 *
 * @throws `aborted`; what a list throws: a verification is never silently partial
 */
export async function verifyMigration(
  settings: MigrationSettings,
  manifest: Manifest,
  options: VerifyMigrationOptions = {},
): Promise<VerificationSummary> {
  const { level = settings.verify, range, signal = settings.signal, onEvent } = options
  const startedAt = settings.now()
  const { byState } = await manifest.counts(range)
  const random = options.random ?? Math.random
  const sleep = options.sleep ?? ((ms, until) => delay(ms, undefined, { signal: until }))
  const shared = { level, total: byState.copied.objects, signal, onEvent, random, sleep }
  const work = { settings, manifest, shared }
  const checked = options.pendingOnly
    ? await verifyPending(work, range)
    : range === undefined
      ? await verifyWhole(work)
      : await verifyRange(work, range)
  const counts = await manifest.counts(range)
  const strays = range === undefined ? await strayCounts(manifest) : { source: 0, destination: 0 }
  const all = Object.values(counts.byStatus)
  return {
    level,
    complete: isComplete(counts, strays),
    objects: all.reduce((sum, { objects }) => sum + objects, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    statuses: statusesOf(counts, strays),
    strays,
    checked,
    startedAt,
    endedAt: settings.now(),
  }
}

interface Work {
  readonly settings: MigrationSettings
  readonly manifest: Manifest
  readonly shared: CheckRowsOptions
}

async function verifyWhole({ settings, manifest, shared }: Work): Promise<number> {
  const { level } = shared
  let run = await beginVerifyRun(manifest, level, settings.now)
  const resumed = run
  // What was copied again since has to be looked at again.
  const isDone = (row: ManifestRow) => isBehind(resumed, row.sourceKey) && isLookedAt(row, level)
  const strays = await StrayLog.begin(manifest)
  await compareDestination(settings, manifest, { ...shared, strays, keeps: isDone })
  const destinationOf = await destinationsOf(settings)
  const rows = compareSource(settings, manifest, {
    ...shared,
    range: {},
    isSettled: ({ status }) => status !== 'match' && status !== 'unverified',
    isDone,
    onStray: async info => {
      const { key, size } = info
      if (destinationOf(info) !== undefined) await strays.add({ side: 'source', key, size })
    },
  })
  const checked = await checkRows(settings, manifest, rows, {
    ...shared,
    onCheckpoint: through => {
      run = { ...run, through, at: settings.now() }
      return writeVerifyRun(manifest, run)
    },
  })
  await strays.end()
  await writeVerifyRun(manifest, { ...run, endedAt: settings.now() })
  return checked
}

function verifyRange({ settings, manifest, shared }: Work, range: RowRange): Promise<number> {
  const rows = compareSource(settings, manifest, {
    ...shared,
    range,
    isSettled: () => false,
    isDone: () => false,
    onStray: async () => {},
  })
  return checkRows(settings, manifest, rows, shared)
}

/** What has no row is not looked for; what was found of it before is looked at again. */
async function verifyPending(
  { settings, manifest, shared }: Work,
  range: RowRange | undefined,
): Promise<number> {
  if (range === undefined) await recheckStrays(settings, manifest, shared.signal)
  return checkRows(settings, manifest, pending(manifest, shared.level, range), shared)
}

async function* pending(manifest: Manifest, level: VerifyLevel, range: RowRange | undefined) {
  for await (const row of manifest.rows({ ...range, states: ['copied'] }))
    if (!isVerified(row, level)) yield row
}
