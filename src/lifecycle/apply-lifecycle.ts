import type { BucketLifecycle, LifecycleConfiguration, LifecycleRule } from '../core/bucket-lifecycle.ts'
import { isStorageError, StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { LifecyclePlan } from './plan-lifecycle.ts'
import { sameRule } from './same-rule.ts'

export interface ApplyLifecycleOptions {
  signal?: AbortSignal
  /** Waits between two looks at what was written: S3 may show the old rules for some seconds. Default: `setTimeout`. */
  sleep?: (ms: number) => Promise<void>
}

const LOOKS = 5
const SECOND = 1000

/**
 * Writes the rules of a plan and reads them back.
 *
 * @returns the rules as the bucket has them now
 * @throws `conflict`, with nothing written, where the rules have changed since the plan; `unsupported` where the server took the rules and
 *   keeps others, with the rules that it lost; `invalid-argument`, `unsupported` where it refuses one
 */
export async function applyLifecycle(
  lifecycle: BucketLifecycle,
  plan: LifecyclePlan,
  options: ApplyLifecycleOptions = {},
): Promise<LifecycleConfiguration> {
  assertFactoryOptions('applyLifecycle', options, { signal: 'object', sleep: 'function' })
  const { signal, sleep = ms => new Promise<void>(resolve => setTimeout(resolve, ms)) } = options
  const present = await lifecycle.read({ signal })
  if (
    missingFrom(present.rules, plan.before.rules).length +
      missingFrom(plan.before.rules, present.rules).length >
    0
  )
    throw refuse('conflict', 'the rules of the bucket have changed since the plan; plan again')
  if (plan.unchanged) return present
  await lifecycle.write(plan.after, { signal }).catch(error => {
    throw advised(error, plan.after.rules)
  })
  for (let look = 1; ; look++) {
    const now = await lifecycle.read({ signal })
    const lost = [...missingFrom(now.rules, plan.after.rules), ...missingFrom(plan.after.rules, now.rules)]
    if (lost.length === 0) return now
    if (look === LOOKS)
      throw refuse(
        'unsupported',
        `the server took the rules and has others now: ${[...new Set(lost.map(({ ID }) => ID))].join(', ')}`,
      )
    await sleep(SECOND)
  }
}

/** Rules of `wanted` that `present` has not, or has otherwise. */
export function missingFrom(
  present: readonly LifecycleRule[],
  wanted: readonly LifecycleRule[],
): LifecycleRule[] {
  const byId = new Map(present.map(rule => [rule.ID, rule]))
  return wanted.filter(rule => {
    const same = byId.get(rule.ID)
    return same === undefined || !sameRule(same, rule)
  })
}

/** What servers other than AWS refuse, which answer with no more than that they do. */
function advised(error: unknown, rules: readonly LifecycleRule[]): unknown {
  if (!isStorageError(error, 'invalid-argument', 'unsupported')) return error
  const advice = [
    ...(rules.some(rule => rule.AbortIncompleteMultipartUpload)
      ? [
          'MinIO takes no rule that aborts uploads and removes them by itself after a day: leave abortUnfinishedAfterDays out',
        ]
      : []),
    ...(rules.some(rule => rule.Transitions?.length)
      ? ["MinIO has none of AWS's storage classes to move to"]
      : []),
  ]
  if (advice.length === 0) return error
  return new StorageError(error.code, `${error.message}; ${advice.join('; ')}`, {
    ...error,
    cause: error.cause,
  })
}

function refuse(code: 'conflict' | 'unsupported', problem: string): StorageError {
  return new StorageError(code, `applyLifecycle: ${problem}`, { retryable: false })
}
