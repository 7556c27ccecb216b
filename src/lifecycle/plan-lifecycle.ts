import type { BucketLifecycle, LifecycleConfiguration, LifecycleRule } from '../core/bucket-lifecycle.ts'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { LifecyclePolicy } from './lifecycle-policy.ts'
import { lifecycleRules, OWN_RULE } from './lifecycle-rules.ts'
import { type LifecycleWarning, lifecycleWarnings } from './lifecycle-warnings.ts'
import { sameRule } from './same-rule.ts'

export interface PlanLifecycleOptions {
  /** The whole bucket: what lies below the prefixes that expire is listed and counted. Default: nothing is listed. */
  files?: StorageProvider
  /** Keys in the bucket that records name: a rule that would delete them is a warning. Default: none are known. */
  liveKeys?: AsyncIterable<string>
  signal?: AbortSignal
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

/** What a policy would change in a bucket's rules. Nothing has been changed. */
export interface LifecyclePlan {
  readonly bucket: string
  readonly added: readonly LifecycleRule[]
  readonly changed: readonly { readonly before: LifecycleRule; readonly after: LifecycleRule }[]
  readonly removed: readonly LifecycleRule[]
  /** Ours, and as the policy has them. */
  readonly kept: readonly LifecycleRule[]
  /** Rules of others: they stay as they are. */
  readonly foreign: readonly LifecycleRule[]
  readonly warnings: readonly LifecycleWarning[]
  /** Nothing would be written. */
  readonly unchanged: boolean
  readonly before: LifecycleConfiguration
  readonly after: LifecycleConfiguration
}

/** S3 takes no more. */
const MAX_RULES = 1000

/**
 * Compares a policy with the rules that the bucket has. Rules whose id does not begin with `stowage-` are not ours and
 * stay.
 *
 * @throws `invalid-argument` for a policy that is none, and for more than 1,000 rules in all
 * @example
 * ```ts
 * const lifecycle = bucketLifecycle({ bucket: 'photos', region: 'eu-central-1' })
 * const policy = lifecyclePolicy({ expire: [{ prefix: 'tmp/', afterDays: 7 }] })
 * const plan = await planLifecycle(lifecycle, policy, { files })
 * for (const { message } of plan.warnings) console.warn(message)
 * if (!plan.unchanged) await applyLifecycle(lifecycle, plan)
 * ```
 */
export async function planLifecycle(
  lifecycle: BucketLifecycle,
  policy: LifecyclePolicy,
  options: PlanLifecycleOptions = {},
): Promise<LifecyclePlan> {
  assertFactoryOptions('planLifecycle', options, {
    files: 'object',
    liveKeys: 'object',
    signal: 'object',
    now: 'function',
  })
  const wanted = lifecycleRules(policy)
  const before = await lifecycle.read({ signal: options.signal })
  const difference = differenceOf(before.rules, wanted)
  const { added, changed, removed, foreign } = difference
  const rules = [...foreign, ...wanted]
  if (rules.length > MAX_RULES)
    throw new StorageError(
      'invalid-argument',
      `planLifecycle: ${rules.length} rules with those of others, and S3 takes ${MAX_RULES}; merge entries of the policy`,
    )
  return {
    bucket: lifecycle.bucket,
    ...difference,
    warnings: await lifecycleWarnings(policy, foreign, options),
    unchanged: added.length + changed.length + removed.length === 0,
    before,
    after: { ...before, rules },
  }
}

/** The rules of a bucket against those of a policy, by their ids. */
export function differenceOf(
  present: readonly LifecycleRule[],
  wanted: readonly LifecycleRule[],
): Pick<LifecyclePlan, 'added' | 'changed' | 'removed' | 'kept' | 'foreign'> {
  const isOurs = ({ ID }: LifecycleRule) => ID?.startsWith(OWN_RULE) === true
  const ours = new Map(present.filter(isOurs).map(rule => [rule.ID, rule]))
  const added: LifecycleRule[] = []
  const changed: { before: LifecycleRule; after: LifecycleRule }[] = []
  const kept: LifecycleRule[] = []
  for (const after of wanted) {
    const before = ours.get(after.ID)
    ours.delete(after.ID)
    if (before === undefined) added.push(after)
    else if (sameRule(before, after)) kept.push(before)
    else changed.push({ before, after })
  }
  return { added, changed, kept, removed: [...ours.values()], foreign: present.filter(rule => !isOurs(rule)) }
}
