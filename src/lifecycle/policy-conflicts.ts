import { StorageError } from '../core/errors.ts'
import type { LifecycleExpiry, LifecycleTier } from './lifecycle-policy.ts'
import { canFollow, needsThirtyDays } from './tier-classes.ts'

/**
 * Refuses entries that contradict each other. Prefixes overlap where one begins with the other: then both entries act on
 * the objects of the longer one.
 */
export function assertNoConflict(tiers: readonly LifecycleTier[], expire: readonly LifecycleExpiry[]): void {
  tiers.forEach((tier, at) => {
    assertChain(tier, at, tiers)
    const ends = expire.find(
      ({ prefix, afterDays }) => tier.prefix.startsWith(prefix) && afterDays <= tier.afterDays,
    )
    if (ends !== undefined)
      throw refuse(
        `tiers[${at}]: ${shown(tier)} expires after ${days(ends.afterDays)}, so nothing is ever moved after ${days(tier.afterDays)}; move it earlier, or leave one of them out`,
      )
  })
  expire.forEach((inner, at) => {
    const outer = expire.find(
      (other, index) =>
        index !== at &&
        inner.prefix.startsWith(other.prefix) &&
        (other.prefix !== inner.prefix ? other.afterDays <= inner.afterDays : index < at),
    )
    if (outer === undefined) return
    throw refuse(
      outer.prefix === inner.prefix
        ? `expire[${at}]: ${shown(inner)} is named twice; keep one`
        : `expire[${at}]: ${shown(inner)} lies within ${shown(outer)}, which expires after ${days(outer.afterDays)}: it would never live for ${days(inner.afterDays)}. Give the outer one narrower prefixes`,
    )
  })
}

/** The moves of this entry's objects, one after the other, must be moves that S3 makes. */
function assertChain(tier: LifecycleTier, at: number, tiers: readonly LifecycleTier[]): void {
  tiers.forEach((other, index) => {
    if (index === at || !overlap(tier, other)) return
    const name = `tiers[${at}]`
    if (other.storageClass === tier.storageClass) {
      if (index > at) return
      throw refuse(
        `${name}: ${shown(tier)} is moved to ${tier.storageClass} by tiers[${index}] already; keep one`,
      )
    }
    if (other.afterDays > tier.afterDays || (other.afterDays === tier.afterDays && index > at)) return
    if (other.afterDays === tier.afterDays)
      throw refuse(
        `${name}: ${shown(tier)} is moved after ${days(tier.afterDays)} by tiers[${index}], too; keep one, or move to ${tier.storageClass} later`,
      )
    if (!canFollow(other.storageClass, tier.storageClass))
      throw refuse(
        `${name}: S3 moves nothing from ${other.storageClass} (after ${days(other.afterDays)}) to ${tier.storageClass}; change their order`,
      )
    if (needsThirtyDays(other.storageClass) && tier.afterDays < other.afterDays + 30)
      throw refuse(
        `${name}: what is moved to ${other.storageClass} must stay there for 30 days; set afterDays to ${other.afterDays + 30} or more`,
      )
  })
}

function overlap(one: LifecycleTier, other: LifecycleTier): boolean {
  return one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix)
}

function shown({ prefix }: { readonly prefix: string }): string {
  return prefix === '' ? 'the whole bucket' : `'${prefix}'`
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `lifecyclePolicy: ${problem}`)
}
