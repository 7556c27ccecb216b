import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions, type OptionKinds } from '../core/factory-options.ts'
import { assertNoConflict } from './policy-conflicts.ts'
import { leastSize, needsThirtyDays, TIER_CLASSES, type TierClass } from './tier-classes.ts'

/** What becomes of a bucket's objects as they get older. Days count from an object's creation. */
export interface LifecyclePolicy {
  /** Moves to cheaper storage classes. */
  readonly tiers?: readonly LifecycleTier[]
  /** What is deleted by itself: staging, temporary files, logs. */
  readonly expire?: readonly LifecycleExpiry[]
  /** Ends uploads in parts that were begun and left, in the whole bucket. */
  readonly abortUnfinishedAfterDays?: number
  /** Versions that were replaced or deleted, in versioned buckets. */
  readonly noncurrent?: NoncurrentVersions
  /** Removes delete markers behind which no version is left, in versioned buckets. */
  readonly removeExpiredDeleteMarkers?: boolean
}

export interface LifecycleTier {
  /** Keys that begin with it; `''`: all. No pattern. */
  readonly prefix: string
  /** At least 30 for `STANDARD_IA` and `ONEZONE_IA`. */
  readonly afterDays: number
  readonly storageClass: TierClass
  /** Smaller objects stay. Default, and least for all but `GLACIER` and `DEEP_ARCHIVE`: 131,072, as what is smaller is billed so. */
  readonly minSizeBytes?: number
}

export interface LifecycleExpiry {
  /** Keys that begin with it. No pattern. */
  readonly prefix: string
  /** At least 1. */
  readonly afterDays: number
}

export interface NoncurrentVersions {
  /** Days since a version was replaced or deleted. At least 1. */
  readonly expireAfterDays: number
  /** So many of the newest such versions are kept whatever their age: 1 to 100. */
  readonly keepNewest?: number
}

/** S3 counts sizes as KiB and calls them KB. */
export const DEFAULT_MIN_SIZE = 128 * 1024

const POLICY: OptionKinds<LifecyclePolicy> = {
  tiers: 'array',
  expire: 'array',
  abortUnfinishedAfterDays: 'number',
  noncurrent: 'object',
  removeExpiredDeleteMarkers: 'boolean',
}
const TIER: OptionKinds<LifecycleTier> = {
  prefix: 'string',
  afterDays: 'number',
  storageClass: 'string',
  minSizeBytes: 'number',
}

/**
 * Checks a policy as AWS would check its rules, and for what AWS takes although it can't be meant. An empty one is a
 * policy, too: no rules of ours.
 *
 * The rules are those of https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 *
 * @throws `invalid-argument` with the entry and what to do
 * @example
 * ```ts
 * const policy = lifecyclePolicy({
 *   tiers: [
 *     { prefix: 'photos/', afterDays: 30, storageClass: 'STANDARD_IA' },
 *     { prefix: 'photos/', afterDays: 180, storageClass: 'GLACIER_IR' },
 *   ],
 *   expire: [{ prefix: 'staging/', afterDays: 7 }],
 *   abortUnfinishedAfterDays: 3,
 * })
 * ```
 */
export function lifecyclePolicy(policy: LifecyclePolicy): LifecyclePolicy {
  assertFactoryOptions('lifecyclePolicy', policy, POLICY)
  const { tiers = [], expire = [], abortUnfinishedAfterDays, noncurrent, removeExpiredDeleteMarkers } = policy
  tiers.forEach((tier, at) => {
    assertTier(tier, `tiers[${at}]`)
  })
  expire.forEach((expiry, at) => {
    const name = `expire[${at}]`
    assertFactoryOptions<LifecycleExpiry>(`lifecyclePolicy: ${name}`, expiry, {
      prefix: 'string',
      afterDays: 'number',
    })
    assertPrefix(expiry.prefix, name)
    assertWhole(expiry.afterDays, `${name}.afterDays`, 1)
  })
  if (abortUnfinishedAfterDays !== undefined)
    assertWhole(abortUnfinishedAfterDays, 'abortUnfinishedAfterDays', 1)
  if (noncurrent !== undefined) assertNoncurrent(noncurrent)
  if (removeExpiredDeleteMarkers && expire.some(({ prefix }) => prefix === ''))
    throw refuse(
      'an expiry of the whole bucket removes delete markers by itself; leave removeExpiredDeleteMarkers out',
    )
  assertNoConflict(tiers, expire)
  return policy
}

function assertTier(tier: LifecycleTier, name: string): void {
  assertFactoryOptions(`lifecyclePolicy: ${name}`, tier, TIER)
  const { prefix, afterDays, storageClass, minSizeBytes } = tier
  assertPrefix(prefix, name)
  assertWhole(afterDays, `${name}.afterDays`, 0)
  if (!(TIER_CLASSES as readonly string[]).includes(storageClass))
    throw refuse(`${name}.storageClass must be one of ${TIER_CLASSES.join(', ')}`)
  if (needsThirtyDays(storageClass) && afterDays < 30)
    throw refuse(`${name}: S3 moves nothing to ${storageClass} before 30 days; set afterDays to 30 or more`)
  if (minSizeBytes === undefined) return
  const least = leastSize(storageClass)
  assertWhole(minSizeBytes, `${name}.minSizeBytes`, 0)
  if (minSizeBytes < least)
    throw refuse(
      `${name}: in ${storageClass} each object is billed as ${least.toLocaleString('en')} bytes at least; set minSizeBytes to that or more`,
    )
}

function assertNoncurrent(noncurrent: NoncurrentVersions): void {
  assertFactoryOptions<NoncurrentVersions>('lifecyclePolicy: noncurrent', noncurrent, {
    expireAfterDays: 'number',
    keepNewest: 'number',
  })
  assertWhole(noncurrent.expireAfterDays, 'noncurrent.expireAfterDays', 1)
  if (noncurrent.keepNewest !== undefined) assertWhole(noncurrent.keepNewest, 'noncurrent.keepNewest', 1, 100)
}

function assertPrefix(prefix: unknown, name: string): void {
  if (typeof prefix !== 'string') throw refuse(`${name}.prefix must be a string; '' means the whole bucket`)
  if (!prefix.isWellFormed() || Buffer.byteLength(prefix) > 1024)
    throw refuse(`${name}.prefix must be well-formed text of at most 1,024 bytes`)
  if (prefix.startsWith('/'))
    throw refuse(`${name}.prefix begins with a slash, as no key does; write '${prefix.slice(1)}'`)
  if (/[*?]/.test(prefix))
    throw refuse(`${name}.prefix is no pattern: it must be the plain beginning of keys, without * and ?`)
}

function assertWhole(value: unknown, name: string, least: number, most = 2 ** 31 - 1): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return
  throw refuse(`${name} must be a whole number of at least ${least}${most === 100 ? ' and at most 100' : ''}`)
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `lifecyclePolicy: ${problem}`)
}
