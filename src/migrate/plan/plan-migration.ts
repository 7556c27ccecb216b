import { eitherSignal } from '../../core/deadline.ts'
import type { ObjectInfo } from '../../core/provider.ts'
import type { Manifest } from '../manifest.ts'
import type { MigrationPlan, PlanRefusal, RefusalReason } from '../migration-plan.ts'
import { assertApart } from './assert-apart.ts'
import type { MigrationSettings } from './checked-settings.ts'
import { compareBoth } from './compare-both.ts'
import { compareDestination } from './compare-destination.ts'
import { compareSource } from './compare-source.ts'
import { findCollisions } from './find-collisions.ts'
import { listedPages, type PlanContext, type PlanCounts } from './plan-context.ts'
import { PlanWrites } from './plan-writes.ts'
import { readAhead } from './read-ahead.ts'
import { requestEstimate } from './request-estimate.ts'
import { keepSettings } from './stored-settings.ts'

export interface PlanOptions {
  signal?: AbortSignal
  /** Where it returns a promise, the plan goes on when it resolves. */
  onEvent?: PlanContext['onEvent']
}

/** Refusals that stand in the plan itself; all of them are rows. */
const SHOWN_REFUSALS = 100

type Pages = AsyncIterable<readonly ObjectInfo[]>

/** Pages of the source that are read before they are wanted. */
const FIRST_PAGES = 2

/** The same of the destination: some 5 MB. */
const PAGES_AHEAD = 16

/**
 * Lists both sides once and writes what has to be done into the manifest: no request per object, and no more memory for a
 * million of them. May be repeated at any time, also while objects are copied; a finished migration costs the two lists.
 *
 * @throws `invalid-argument` where the destination lies within the source; `conflict` where the migration has begun with other
 *   stores or rules; what either list throws: then no plan is made, and what the list did not tell of stays as it was
 */
export async function planMigration(
  settings: MigrationSettings,
  manifest: Manifest,
  { signal = settings.signal, onEvent = () => {} }: PlanOptions = {},
): Promise<MigrationPlan> {
  const counts: PlanCounts = {
    pages: { source: 0, destination: 0 },
    leftOut: { objects: 0, bytes: 0 },
    since: { added: 0, changed: 0, lost: 0, gone: 0 },
    known: 0,
  }
  const writes = new PlanWrites(manifest)
  const ending = new AbortController()
  const context: PlanContext = {
    settings,
    manifest,
    writes,
    counts,
    // Ends one list where the other fails.
    signal: eitherSignal(signal, ending.signal),
    onEvent,
  }
  await assertApart(settings)
  // Asked for while the manifest is looked at: a store takes longer to answer.
  const source = readAhead(listedPages(context, 'source'), FIRST_PAGES)
  try {
    await keepSettings(manifest, settings)
    const isPlanned = await hasPlan(manifest)
    await manifest.setSetting('planning', 'yes')
    await compare(context, source, isPlanned)
    const plan = await summary(context)
    await manifest.setSetting('plan', JSON.stringify({ at: settings.now(), plan }))
    await manifest.setSetting('planning', 'no')
    await onEvent({ kind: 'planned', plan })
    return plan
  } finally {
    ending.abort()
  }
}

async function compare(context: PlanContext, source: Pages, isPlanned: boolean): Promise<void> {
  const { settings, manifest, writes } = context
  const isIdle = isPlanned && !(await isAnyLeft(manifest))
  if (isIdle && settings.keys === undefined) {
    // Nobody copies where nothing is left to copy, so nothing changes between the two lists, and they can be read side by side.
    await compareBoth(context, source, readAhead(listedPages(context, 'destination'), PAGES_AHEAD))
    // Whom a changed row meets decides whether its place is looked at.
    if (canMeet(settings) && writes.total > 0)
      await compareAtDestination(context, listedPages(context, 'destination'), isPlanned)
    return
  }
  const pages = listedPages(context, 'destination')
  const destination = isIdle ? readAhead(pages, PAGES_AHEAD) : pages
  await compareSource(context, source)
  await compareAtDestination(context, destination, isPlanned)
}

/** Where the rows go: whom they meet there, and what lies there. */
async function compareAtDestination(
  context: PlanContext,
  destination: Pages,
  isPlanned: boolean,
): Promise<void> {
  const { settings, writes, counts } = context
  // A plan that was killed has left rows that it did not hold against each other.
  if (canMeet(settings) && (writes.total > 0 || !isPlanned)) await findCollisions(context)
  await compareDestination(context, destination)
  // Two copies of one place, as only copying beside a plan can leave, show as one that was lost.
  if (canMeet(settings) && counts.since.lost > 0) await findCollisions(context)
}

async function isAnyLeft(manifest: Manifest): Promise<boolean> {
  for await (const _ of manifest.rows({ states: ['planned', 'failed'] })) return true
  return false
}

/** Whether a plan has been made and none is under way, or was killed before it ended: only then may objects be copied. */
export async function hasPlan(manifest: Manifest): Promise<boolean> {
  return (await manifest.setting('planning')) === 'no'
}

/** Whether two keys can meet at the destination at all. */
function canMeet({ keys, to, destinationIgnoresCase }: MigrationSettings): boolean {
  const { fileAndFolder, normalizationSensitive } = to.capabilities.keys
  return keys !== undefined || destinationIgnoresCase || !fileAndFolder || !normalizationSensitive
}

async function summary({ settings, manifest, counts }: PlanContext): Promise<MigrationPlan> {
  const { byState } = await manifest.counts()
  const { planned, failed, copied, refused } = byState
  const workload = await manifest.workload(settings.limits)
  return {
    objects: planned.objects + failed.objects + copied.objects + refused.objects,
    bytes: planned.bytes + failed.bytes + copied.bytes + refused.bytes,
    toCopy: { objects: workload.objects, bytes: workload.bytes },
    copied,
    leftOut: counts.leftOut,
    refusals: await refusals(manifest),
    since: counts.since,
    requests: requestEstimate(settings, workload, counts.pages),
  }
}

async function refusals(manifest: Manifest): Promise<MigrationPlan['refusals']> {
  const byReason: Record<RefusalReason, number> = {
    collision: 0,
    'case-collision': 0,
    'invalid-key': 0,
    'too-large': 0,
    exists: 0,
  }
  const first: PlanRefusal[] = []
  let total = 0
  for await (const row of manifest.rows({ states: ['refused'] })) {
    const { sourceKey, destinationKey, errorMessage: message = '' } = row
    const reason = (row.errorCode ?? 'exists') as RefusalReason
    byReason[reason]++
    total++
    if (first.length < SHOWN_REFUSALS) first.push({ reason, sourceKey, destinationKey, message })
  }
  return { total, byReason, first }
}
