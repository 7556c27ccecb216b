import type { LifecycleRule } from '../core/bucket-lifecycle.ts'
import { humanSize, plural } from '../core/human-format.ts'
import type { LifecycleExpiry, LifecyclePolicy } from './lifecycle-policy.ts'
import type { PlanLifecycleOptions } from './plan-lifecycle.ts'
import { isArchive } from './tier-classes.ts'

/**
 * What a person should know before rules are applied.
 * - `whole-bucket`: all objects expire.
 * - `record-set`: files that have records expire, and their records stay; or what records need does.
 * - `expires-now`: what is old enough to go in the next days.
 * - `archive`: what is moved can't be read before it is restored.
 * - `foreign-rule`: a rule of others deletes or moves, too, which the policy does not know of.
 */
export interface LifecycleWarning {
  readonly kind: 'whole-bucket' | 'record-set' | 'expires-now' | 'archive' | 'foreign-rule'
  readonly prefix: string
  readonly message: string
  readonly objects?: number
  readonly bytes?: number
}

const DAY = 86_400_000
/** What records keep beside their files; of these only `staging` may expire: its uploads were never finalized. */
const RESERVED = /(?:^|\/)\.stowage\/(?!staging\/)/
const STAGING = /(?:^|\/)\.stowage\/staging\//
const MARKER = /(?:^|\/)\.stowage\/record-set\.json$/

export async function lifecycleWarnings(
  policy: LifecyclePolicy,
  foreign: readonly LifecycleRule[],
  options: PlanLifecycleOptions,
): Promise<LifecycleWarning[]> {
  const { tiers = [], expire = [] } = policy
  const warnings: LifecycleWarning[] = []
  const live = await countLive(expire, options.liveKeys)
  for (const expiry of expire) {
    const { prefix, afterDays } = expiry
    if (prefix === '')
      warnings.push({
        kind: 'whole-bucket',
        prefix,
        message: `every object is deleted after ${afterDays} days`,
      })
    if (RESERVED.test(prefix))
      warnings.push({
        kind: 'record-set',
        prefix,
        message: `'${prefix}' holds what records need: deleted files that can be restored, or the marker; expire '….stowage/staging/' only`,
      })
    const objects = live.get(expiry) ?? 0
    if (objects > 0)
      warnings.push({
        kind: 'record-set',
        prefix,
        objects,
        message: `${plural(objects, 'file')} with records below '${prefix}' would be deleted, and the records stay; delete files by withRecords instead`,
      })
    warnings.push(...(await lookBelow(expiry, options)))
  }
  for (const { prefix, storageClass, afterDays } of tiers)
    if (isArchive(storageClass))
      warnings.push({
        kind: 'archive',
        prefix,
        message: `what is moved to ${storageClass} after ${afterDays} days can't be read or linked to before it is restored, which takes hours`,
      })
  for (const { ID, Status, Expiration, Transitions } of foreign)
    if (Status === 'Enabled' && (Expiration !== undefined || (Transitions?.length ?? 0) > 0))
      warnings.push({
        kind: 'foreign-rule',
        prefix: '',
        message: `the rule '${ID}' is not ours and stays: of two rules for one object S3 follows the one that acts first`,
      })
  return warnings
}

/** Recorded keys by the entry that would delete them. */
async function countLive(
  expire: readonly LifecycleExpiry[],
  liveKeys: AsyncIterable<string> | undefined,
): Promise<Map<LifecycleExpiry, number>> {
  const counts = new Map<LifecycleExpiry, number>()
  if (liveKeys === undefined || expire.length === 0) return counts
  for await (const key of liveKeys)
    for (const expiry of expire)
      if (key.startsWith(expiry.prefix)) counts.set(expiry, (counts.get(expiry) ?? 0) + 1)
  return counts
}

/** Lists what an entry would delete. */
async function lookBelow(
  { prefix, afterDays }: LifecycleExpiry,
  { files, signal, now = Date.now }: PlanLifecycleOptions,
): Promise<LifecycleWarning[]> {
  if (files === undefined) return []
  const before = now() - afterDays * DAY
  let [objects, bytes, marker] = [0, 0, '']
  for await (const entry of files.list({ prefix, ...(signal === undefined ? {} : { signal }) })) {
    if (entry.kind !== 'object') continue
    if (MARKER.test(entry.key)) marker = entry.key
    if (STAGING.test(entry.key) || (entry.lastModified?.getTime() ?? before) > before) continue
    objects++
    bytes += entry.size
  }
  const warnings: LifecycleWarning[] = []
  if (marker !== '')
    warnings.push({
      kind: 'record-set',
      prefix,
      message: `the record set of '${marker.replace(/\.stowage\/.*$/, '')}' lies below '${prefix}': its files would be deleted, and the records stay`,
    })
  if (objects > 0)
    warnings.push({
      kind: 'expires-now',
      prefix,
      objects,
      bytes,
      message: `${plural(objects, 'object')}, ${humanSize(bytes)}, below '${prefix}' ${objects === 1 ? 'is' : 'are'} older than ${afterDays} days and would go at once`,
    })
  return warnings
}
