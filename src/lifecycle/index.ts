/** Lifecycle rules of S3 buckets from a typed policy, and what a bucket costs. */
export type {
  BucketLifecycle,
  LifecycleConfiguration,
  LifecycleFilter,
  LifecycleRule,
  LifecycleTransition,
} from '../core/bucket-lifecycle.ts'
export { AWS_US_EAST_1, type ClassPrices, type PriceTable, priceTable } from '../core/prices.ts'
export { type ApplyLifecycleOptions, applyLifecycle } from './apply-lifecycle.ts'
export {
  type CheckLifecycleOptions,
  checkLifecycle,
  type LifecycleFinding,
  type LifecycleReport,
} from './check-lifecycle.ts'
export type { ClassCost } from './cost-tally.ts'
export {
  type AgeCost,
  type BucketCost,
  type CostEstimate,
  type EstimateCostOptions,
  estimateCost,
  type PolicyCost,
} from './estimate-cost.ts'
export {
  type LifecycleExpiry,
  type LifecyclePolicy,
  type LifecycleTier,
  lifecyclePolicy,
  type NoncurrentVersions,
} from './lifecycle-policy.ts'
export { lifecycleRules } from './lifecycle-rules.ts'
export type { LifecycleWarning } from './lifecycle-warnings.ts'
export { type LifecyclePlan, type PlanLifecycleOptions, planLifecycle } from './plan-lifecycle.ts'
export type { TierClass } from './tier-classes.ts'
