import type { StorageError } from '../core/errors.ts'
import type { ObjectAttributes } from '../core/options.ts'
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
  /** A part of a large object arrived, or was sent of one that goes as a stream: there a failed try begins anew. */
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
  /** Verification has found a copy that differs: it is made again. */
  | { readonly kind: 'repair'; readonly key: string; readonly problem: string }
  /** It was planned, and is no longer at the source. */
  | { readonly kind: 'gone'; readonly key: string }
  /** Another object is in its place, and stays. */
  | { readonly kind: 'refused'; readonly key: string; readonly destinationKey: string }
  /** The destination can't keep an attribute; told once for each, with the first key that has it. */
  | { readonly kind: 'lost'; readonly attribute: keyof ObjectAttributes; readonly key: string }
  | { readonly kind: 'concurrency'; readonly limit: number; readonly reason: string }
  | {
      readonly kind: 'verified'
      readonly key: string
      readonly status: VerifyStatus
      readonly checked: number
      readonly total: number
    }
  | { readonly kind: 'done'; readonly result: MigrationResult }

/**
 * Told of each event as it happens. What it throws ends the migration. A promise that it returns says that it is behind: it is awaited before
 * more is begun.
 */
export type OnEvent = ((event: MigrationEvent) => void) | ((event: MigrationEvent) => PromiseLike<void>)

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
  /** Copies that differed and were made again; only where `repair` asks for it. */
  readonly repaired?: number
  readonly statuses: Readonly<Record<VerifyStatus, number>>
  readonly seconds: number
}
