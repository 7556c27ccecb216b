import type { ATTRIBUTES } from '../../core/options.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { ManifestRow } from '../manifest.ts'
import type { AdaptiveLimit } from './adaptive-limit.ts'
import type { Budget } from './budget.ts'
import type { KnownWork } from './copy-progress.ts'
import type { CopySettings } from './copy-settings.ts'
import type { Pace } from './pace.ts'
import type { PartBuffers } from './part-buffers.ts'

/** What all copies of a run share. */
export interface CopyContext {
  readonly settings: CopySettings
  /** Ends with the run; in the context of one object, its own. */
  readonly signal: AbortSignal
  readonly limit: AdaptiveLimit
  /** Bytes in memory. */
  readonly budget: Budget
  readonly buffers: PartBuffers
  readonly pace: Pace
  /**
   * The destination's time when the run began, milliseconds since 1970; resolves when it is known, too, which conditions the
   * stores keep. Nothing is put before.
   */
  readonly ready: Promise<{ readonly since: number }>
  /** Large objects under way: their parts share what there is, so few finish sooner than many. */
  readonly large: Budget
  /** Writes what a copy knows of itself into its row, durably, for this process and the next. */
  keep(task: CopyTask, work: KnownWork): Promise<void>
  /** A part of a large object arrived. */
  part(key: string, bytes: number): void
  /** The destination can't keep these. */
  lost(key: string, names: readonly (typeof ATTRIBUTES)[number][]): void
}

/** One object that is to be copied, through all its tries. */
export interface CopyTask {
  readonly row: ManifestRow
  /** What earlier tries have left. */
  work: KnownWork
  /** Of the row, as this process knows it. */
  revision: number
}

/** What came of one object. */
export type CopyOutcome =
  | {
      readonly kind: 'copied'
      /** The row as it is from now on. */
      readonly row: ManifestRow
      /** The source had changed since it was planned. */
      readonly changed: boolean
      /** Bytes that an earlier process had sent. */
      readonly resumedBytes: number
    }
  | { readonly kind: 'gone' }
  /** Another object, `stored`, is in its place. */
  | { readonly kind: 'refused'; readonly message: string; readonly stored: ObjectInfo }
