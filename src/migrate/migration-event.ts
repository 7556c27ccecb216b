import type { StorageError } from '../core/errors.ts'
import type { ManifestRow, VerifyStatus } from './manifest.ts'
import type { MigrationPlan } from './migration-plan.ts'

/** What a migration tells while it runs. Counts are totals of this run so far. */
export type MigrationEvent =
  | {
      readonly kind: 'listing'
      readonly side: 'source' | 'destination'
      readonly objects: number
      readonly bytes: number
    }
  | { readonly kind: 'planned'; readonly plan: MigrationPlan }
  /** An object arrived; `resumedBytes` were there already. */
  | {
      readonly kind: 'copied'
      readonly row: ManifestRow
      readonly resumedBytes?: number
      readonly progress: CopyProgress
    }
  /** A part of a large object arrived. */
  | { readonly kind: 'part'; readonly key: string; readonly bytes: number; readonly progress: CopyProgress }
  /** A try failed and will be made again after `delayMs`. */
  | {
      readonly kind: 'retry'
      readonly key: string
      readonly attempt: number
      readonly delayMs: number
      readonly error: StorageError
    }
  /** An object was given up in this run. */
  | { readonly kind: 'failed'; readonly row: ManifestRow; readonly error: StorageError }
  /** The source had changed since it was planned: copied as it is now. */
  | { readonly kind: 'changed'; readonly key: string }
  | { readonly kind: 'concurrency'; readonly limit: number; readonly reason: string }
  | {
      readonly kind: 'verified'
      readonly key: string
      readonly status: VerifyStatus
      readonly checked: number
      readonly total: number
    }
  | { readonly kind: 'done'; readonly result: MigrationResult }

export interface CopyProgress {
  readonly copiedObjects: number
  readonly copiedBytes: number
  /** What is left to copy, where the plan knows. */
  readonly totalObjects: number
  readonly totalBytes: number
  readonly failed: number
}

/** How a run ended. `complete`: every object is at the destination, and every status is `match`. */
export interface MigrationResult {
  readonly complete: boolean
  readonly copied: number
  readonly copiedBytes: number
  readonly failed: number
  readonly refused: number
  readonly statuses: Readonly<Record<VerifyStatus, number>>
  readonly seconds: number
}
