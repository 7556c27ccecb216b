import { assertFactoryOptions } from '../core/factory-options.ts'
import { AWS_US_EAST_1, classPrices, type PriceTable, priceTable } from '../core/prices.ts'
import type { ListEntry } from '../core/results.ts'
import { type ClassCost, CostTally } from './cost-tally.ts'
import { type LifecyclePolicy, lifecyclePolicy } from './lifecycle-policy.ts'
import { ageInDays, objectFates } from './object-fate.ts'

export interface EstimateCostOptions {
  /** Default: `AWS_US_EAST_1`. */
  prices?: PriceTable
  /** What the bucket would cost with it. Default: none. */
  policy?: LifecyclePolicy
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

/** What keeping a bucket costs. In US dollars; requests of the application and traffic are not part of it: a list does not tell. */
export interface CostEstimate {
  readonly prices: Pick<PriceTable, 'name' | 'region' | 'date' | 'source'>
  readonly objects: number
  readonly bytes: number
  /** A month, as the bucket is. */
  readonly before: BucketCost
  /** By age of the objects, as the bucket is. */
  readonly ages: readonly AgeCost[]
  /** A month, when the policy has done what it has to do by now. */
  readonly after?: BucketCost & PolicyCost
}

export interface BucketCost {
  readonly monthly: number
  readonly classes: readonly ClassCost[]
}

export interface AgeCost {
  readonly fromDays: number
  /** Absent: no end. */
  readonly untilDays?: number
  readonly objects: number
  readonly bytes: number
  readonly monthly: number
}

/** What the policy does, and what it costs to do it. */
export interface PolicyCost {
  readonly expired: { readonly objects: number; readonly bytes: number }
  readonly moved: { readonly objects: number; readonly bytes: number }
  /** Once, for moving what there is: a request for each move of an object. */
  readonly transitions: number
  /** Once, for objects that leave a class before its minimum duration. */
  readonly earlyRemoval: number
  /** For reading everything that was moved, once: what is cheap to keep is dear to read. */
  readonly retrievalOfAll: number
  readonly savedMonthly: number
  /** Part of `before.monthly`, 0 to 1. Negative where the policy costs more than it saves. */
  readonly savedShare: number
  /** Months until what is saved has paid for `transitions` and `earlyRemoval`; absent where it never does. */
  readonly paidOffAfterMonths?: number
}

const AGES = [0, 30, 90, 180, 365]
const MONTH_DAYS = 30
const GB = 2 ** 30

/**
 * Estimates what a bucket costs a month, from a list of it: by storage class, with minimum sizes, minimum durations and
 * monitoring; with a policy also what it would cost then. Memory does not grow with the list.
 *
 * @throws `invalid-argument` for prices or a policy that are none, and for a storage class that the prices don't know
 * @example
 * ```ts
 * const policy = lifecyclePolicy({ expire: [{ prefix: 'tmp/', afterDays: 7 }] })
 * const { before, after } = await estimateCost(files.list(), { policy })
 * console.log(before.monthly, after?.monthly, after?.paidOffAfterMonths)
 * ```
 */
export async function estimateCost(
  list: AsyncIterable<ListEntry> | Iterable<ListEntry>,
  options: EstimateCostOptions = {},
): Promise<CostEstimate> {
  assertFactoryOptions('estimateCost', options, { prices: 'object', policy: 'object', now: 'function' })
  const { policy, now = Date.now } = options
  const prices = priceTable(options.prices ?? AWS_US_EAST_1)
  const fateOf = objectFates(policy === undefined ? {} : lifecyclePolicy(policy))
  const [before, after] = [new CostTally(prices), new CostTally(prices)]
  const ages = AGES.map((fromDays, at) => ({
    fromDays,
    untilDays: AGES[at + 1],
    tally: new CostTally(prices),
  }))
  const expired = { objects: 0, bytes: 0 }
  const moved = { objects: 0, bytes: 0 }
  let [transitions, earlyRemoval, retrievalOfAll] = [0, 0, 0]
  const at = now()
  for await (const entry of list) {
    if (entry.kind !== 'object') continue
    const { key, size, storageClass = 'STANDARD' } = entry
    // One whose age is not told is a new one: nothing happens to it yet.
    const ageDays = ageInDays(entry.lastModified, at) ?? 0
    before.add(storageClass, size)
    ages.findLast(({ fromDays }) => ageDays >= fromDays)!.tally.add(storageClass, size)
    const fate = fateOf({ key, size, storageClass, ageDays })
    const gone = fate.expiredAfterDays !== undefined
    if (gone || fate.moves.length > 0) {
      const { minimumDays = 0 } = classPrices(prices, storageClass)
      const missingDays = Math.max(0, minimumDays - ageDays)
      earlyRemoval += (before.cost(storageClass, size).storage * missingDays) / MONTH_DAYS
    }
    if (gone) {
      expired.objects++
      expired.bytes += size
      continue
    }
    after.add(fate.storageClass, size)
    if (fate.moves.length === 0) continue
    moved.objects++
    moved.bytes += size
    // What is old enough for all of them goes to the last at once.
    transitions += classPrices(prices, fate.storageClass).transitionPer1000 / 1000
    retrievalOfAll += ((classPrices(prices, fate.storageClass).retrievalPerGb ?? 0) * size) / GB
  }
  const { name, region, date, source } = prices
  const estimate = {
    prices: { name, region, date, source },
    objects: before.objects,
    bytes: before.bytes,
    before: { monthly: before.monthly, classes: before.classes },
    ages: ages
      .filter(({ tally }) => tally.objects > 0)
      .map(({ fromDays, untilDays, tally }) => ({
        fromDays,
        ...(untilDays === undefined ? {} : { untilDays }),
        objects: tally.objects,
        bytes: tally.bytes,
        monthly: tally.monthly,
      })),
  }
  if (policy === undefined) return estimate
  const savedMonthly = before.monthly - after.monthly
  return {
    ...estimate,
    after: {
      monthly: after.monthly,
      classes: after.classes,
      expired,
      moved,
      transitions,
      earlyRemoval,
      retrievalOfAll,
      savedMonthly,
      savedShare: before.monthly === 0 ? 0 : savedMonthly / before.monthly,
      ...(savedMonthly > 0 ? { paidOffAfterMonths: (transitions + earlyRemoval) / savedMonthly } : {}),
    },
  }
}
