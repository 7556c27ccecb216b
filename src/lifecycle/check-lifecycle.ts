import type { BucketLifecycle, LifecycleRule } from '../core/bucket-lifecycle.ts'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { LifecyclePolicy } from './lifecycle-policy.ts'
import { lifecycleRules } from './lifecycle-rules.ts'
import { ageInDays, objectFates } from './object-fate.ts'
import { differenceOf } from './plan-lifecycle.ts'

export interface CheckLifecycleOptions {
  /** Days that S3 may be late: it acts once a day and rounds up to midnight. Default: 3. */
  graceDays?: number
  /** Findings that the report lists; all are counted. Default: 100. */
  limit?: number
  onFinding?: (finding: LifecycleFinding) => void
  signal?: AbortSignal
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

/** One thing that is not as the policy has it. */
export type LifecycleFinding =
  /** The policy has the rule, the bucket has not. */
  | { readonly kind: 'rule-missing'; readonly rule: LifecycleRule }
  | { readonly kind: 'rule-differs'; readonly rule: LifecycleRule; readonly present: LifecycleRule }
  /** A rule of ours that the policy does not have (any more). */
  | { readonly kind: 'rule-left'; readonly present: LifecycleRule }
  /** An object that should be gone. */
  | {
      readonly kind: 'not-expired'
      readonly key: string
      readonly size: number
      readonly ageDays: number
      readonly afterDays: number
    }
  /** An object that should be in another storage class. */
  | {
      readonly kind: 'not-moved'
      readonly key: string
      readonly size: number
      readonly ageDays: number
      readonly storageClass: string
      readonly expected: string
    }
  /** An upload in parts that should have been ended. */
  | {
      readonly kind: 'not-aborted'
      readonly key: string
      readonly uploadId: string
      readonly ageDays: number
    }

export const LIFECYCLE_FINDINGS = [
  'rule-missing',
  'rule-differs',
  'rule-left',
  'not-expired',
  'not-moved',
  'not-aborted',
] as const satisfies readonly LifecycleFinding['kind'][]

export interface LifecycleReport {
  readonly bucket: string
  /** Objects that were looked at. */
  readonly objects: number
  readonly counts: Readonly<Record<LifecycleFinding['kind'], number>>
  readonly findings: readonly LifecycleFinding[]
  /** Rules that are not ours. */
  readonly foreign: readonly LifecycleRule[]
  readonly clean: boolean
}

/**
 * Whether a bucket has the rules of a policy, and whether they have done their work: lists what lies below its prefixes,
 * once. Changes nothing. `files` must show the whole bucket.
 *
 * Unfinished uploads are looked at where `capabilities.unfinishedUploads`; MinIO lists none without their key.
 *
 * @throws `invalid-argument` for a policy that is none; what the store throws: a check that did not see everything is none
 * @example
 * ```ts
 * const lifecycle = bucketLifecycle({ bucket: 'photos', region: 'eu-central-1' })
 * const policy = lifecyclePolicy({ expire: [{ prefix: 'tmp/', afterDays: 7 }] })
 * const report = await checkLifecycle(lifecycle, files, policy)
 * if (!report.clean) console.warn(report.counts)
 * ```
 */
export async function checkLifecycle(
  lifecycle: BucketLifecycle,
  files: StorageProvider,
  policy: LifecyclePolicy,
  options: CheckLifecycleOptions = {},
): Promise<LifecycleReport> {
  assertFactoryOptions('checkLifecycle', options, {
    graceDays: 'number',
    limit: 'number',
    onFinding: 'function',
    signal: 'object',
    now: 'function',
  })
  const { graceDays = 3, limit = 100, onFinding, signal, now = Date.now } = options
  for (const [name, value] of Object.entries({ graceDays, limit }))
    if (!(value >= 0))
      throw new StorageError('invalid-argument', `checkLifecycle: ${name} must be a number of at least 0`)
  const counts = Object.fromEntries(LIFECYCLE_FINDINGS.map(kind => [kind, 0])) as Record<
    LifecycleFinding['kind'],
    number
  >
  const findings: LifecycleFinding[] = []
  let total = 0
  const found = (finding: LifecycleFinding) => {
    counts[finding.kind]++
    total++
    if (findings.length < limit) findings.push(finding)
    onFinding?.(finding)
  }

  const { rules } = await lifecycle.read({ signal })
  const { added, changed, removed, foreign } = differenceOf(rules, lifecycleRules(policy))
  for (const rule of added) found({ kind: 'rule-missing', rule })
  for (const { before, after } of changed) found({ kind: 'rule-differs', rule: after, present: before })
  for (const present of removed) found({ kind: 'rule-left', present })

  const at = now()
  const given = signal === undefined ? {} : { signal }
  const fateOf = objectFates(policy)
  let objects = 0
  for (const prefix of prefixesOf(policy))
    for await (const entry of files.list({ prefix, ...given })) {
      if (entry.kind !== 'object') continue
      objects++
      const age = ageInDays(entry.lastModified, at)
      if (age === undefined) continue
      const { key, size, storageClass = 'STANDARD' } = entry
      const { expiredAfterDays, storageClass: expected } = fateOf({
        key,
        size,
        storageClass,
        ageDays: age - graceDays,
      })
      if (expiredAfterDays !== undefined)
        found({ kind: 'not-expired', key, size, ageDays: age, afterDays: expiredAfterDays })
      else if (expected !== storageClass)
        found({ kind: 'not-moved', key, size, ageDays: age, storageClass, expected })
    }

  const { abortUnfinishedAfterDays } = policy
  if (abortUnfinishedAfterDays !== undefined && files.capabilities.unfinishedUploads)
    for await (const { key, uploadId, startedAt } of files.unfinishedUploads(given)) {
      const ageDays = ageInDays(startedAt, at)
      if (ageDays !== undefined && ageDays - graceDays >= abortUnfinishedAfterDays)
        found({ kind: 'not-aborted', key, uploadId, ageDays })
    }
  return { bucket: lifecycle.bucket, objects, counts, findings, foreign, clean: total === 0 }
}

/** The prefixes of a policy without those that lie within another one: nothing is listed twice. */
function prefixesOf({ tiers = [], expire = [] }: LifecyclePolicy): string[] {
  const all = [...new Set([...tiers, ...expire].map(({ prefix }) => prefix))]
  return all.filter(prefix => !all.some(other => other !== prefix && prefix.startsWith(other))).sort()
}
