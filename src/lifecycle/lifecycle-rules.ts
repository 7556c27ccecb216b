import { createHash } from 'node:crypto'
import type { LifecycleFilter, LifecycleRule } from '../core/bucket-lifecycle.ts'
import {
  DEFAULT_MIN_SIZE,
  type LifecyclePolicy,
  type LifecycleTier,
  lifecyclePolicy,
} from './lifecycle-policy.ts'

/** Rules whose id begins so are ours; all others are left as they are. */
export const OWN_RULE = 'stowage-'

/**
 * The rules of a policy in S3's form, each under an id of ours.
 *
 * @throws `invalid-argument` where the policy is not one
 * @example
 * ```ts
 * const [rule] = lifecycleRules({ expire: [{ prefix: 'staging/', afterDays: 7 }] })
 * // { ID: 'stowage-expire-staging/', Status: 'Enabled', Filter: { Prefix: 'staging/' }, Expiration: { Days: 7 } }
 * ```
 */
export function lifecycleRules(policy: LifecyclePolicy): LifecycleRule[] {
  const {
    tiers = [],
    expire = [],
    abortUnfinishedAfterDays,
    noncurrent,
    removeExpiredDeleteMarkers,
  } = lifecyclePolicy(policy)
  const rules = [
    ...tierRules(tiers),
    ...expire.map(({ prefix, afterDays }) =>
      rule(`expire-${named(prefix)}`, { Prefix: prefix }, { Expiration: { Days: afterDays } }),
    ),
  ]
  if (abortUnfinishedAfterDays !== undefined)
    rules.push(
      rule('abort-unfinished', ALL, {
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortUnfinishedAfterDays },
      }),
    )
  if (noncurrent !== undefined) {
    const { expireAfterDays, keepNewest } = noncurrent
    rules.push(
      rule('noncurrent', ALL, {
        NoncurrentVersionExpiration: {
          NoncurrentDays: expireAfterDays,
          ...(keepNewest === undefined ? {} : { NewerNoncurrentVersions: keepNewest }),
        },
      }),
    )
  }
  if (removeExpiredDeleteMarkers)
    rules.push(rule('delete-markers', ALL, { Expiration: { ExpiredObjectDeleteMarker: true } }))
  return rules
}

const ALL: LifecycleFilter = { Prefix: '' }

/** One rule for the moves of one filter: S3 takes no two of the same filter. */
function tierRules(tiers: readonly LifecycleTier[]): LifecycleRule[] {
  const groups = new Map<string, LifecycleTier[]>()
  for (const tier of tiers) {
    const group = `${minSize(tier)} ${tier.prefix}`
    groups.set(group, [...(groups.get(group) ?? []), tier])
  }
  return [...groups.values()].map(group => {
    const [{ prefix }] = group as [LifecycleTier]
    const size = minSize(group[0]!)
    const suffix = size === DEFAULT_MIN_SIZE ? '' : `-from-${size}`
    return rule(`tier-${named(prefix)}${suffix}`, sizeFilter(prefix, size), {
      Transitions: [...group]
        .sort((a, b) => a.afterDays - b.afterDays)
        .map(({ afterDays, storageClass }) => ({ Days: afterDays, StorageClass: storageClass })),
    })
  })
}

export function minSize({ minSizeBytes = DEFAULT_MIN_SIZE }: LifecycleTier): number {
  return minSizeBytes
}

/** Always by size: what holds for rules without one is a setting of the bucket, which others may change. */
function sizeFilter(prefix: string, size: number): LifecycleFilter {
  if (size === 0) return { Prefix: prefix }
  const ObjectSizeGreaterThan = size - 1
  return prefix === '' ? { ObjectSizeGreaterThan } : { And: { Prefix: prefix, ObjectSizeGreaterThan } }
}

function rule(name: string, Filter: LifecycleFilter, action: Partial<LifecycleRule>): LifecycleRule {
  return { ID: `${OWN_RULE}${name}`, Status: 'Enabled', Filter, ...action }
}

/** The prefix where it can stand in an id, else a digest of it: an id has at most 255 characters. */
function named(prefix: string): string {
  if (prefix === '') return '(all)'
  if (/^[\w./-]{1,120}$/.test(prefix)) return prefix
  return `~${createHash('sha256').update(prefix).digest('hex').slice(0, 16)}`
}
