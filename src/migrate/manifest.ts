/**
 * The state of a migration, in SQL: one row per object. What is written here has happened; what was under way when a
 * process ended is done again.
 */
import type { VerifyLevel } from './migrate-options.ts'

/**
 * - `planned`: to be copied, also again where the source has changed since.
 * - `copied`: at the destination, as `destinationEtag` and `destinationSize` say.
 * - `failed`: every try failed; the next run tries again.
 * - `refused`: not copied and not tried: a collision, a key that the destination can't hold, another object in its place.
 * - `gone`: was planned or copied, and is no longer at the source.
 */
export type ObjectState = 'planned' | 'copied' | 'failed' | 'refused' | 'gone'

/** What verification found. `unverified` is a status of its own, and fails a run. */
export type VerifyStatus =
  | 'match'
  | 'differ'
  | 'missing-source'
  | 'missing-destination'
  | 'error'
  | 'unverified'

/** One object. Absent fields are not known (yet). */
export interface ManifestRow {
  readonly sourceKey: string
  readonly destinationKey: string
  readonly state: ObjectState
  /** Bytes at the source. */
  readonly size: number
  readonly sourceEtag?: string
  /** Milliseconds since 1970. */
  readonly sourceModified?: number
  /** Of the bytes that were read, as `checksumText` writes it. */
  readonly sourceChecksum?: string
  /** Of the bytes that were written. The same, but under a transform. */
  readonly destinationChecksum?: string
  readonly destinationSize?: number
  readonly destinationEtag?: string
  readonly destinationModified?: number
  /** SHA-256 of the attributes as they were sent, as `attributesText` writes them. */
  readonly attributes?: string
  readonly attempts: number
  /** Code and message of the last failure or the reason of a refusal. */
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly status: VerifyStatus
  /** The level at which `status` was found. */
  readonly level?: VerifyLevel
  /** What a large object's copy needs to go on: opaque, written by copy/. */
  readonly progress?: string
}

/** What changes of a row. `null` clears a field. */
export type RowChange = { readonly sourceKey: string } & {
  readonly [Name in Exclude<keyof ManifestRow, 'sourceKey'>]?: ManifestRow[Name] | null
}

export interface RowRange {
  /** Only rows behind this source key. */
  readonly after?: string
  /** Only rows up to and including this source key. */
  readonly through?: string
}

/** Objects and bytes by state and by status, for `status` and reports. */
export interface ManifestCounts {
  readonly byState: Readonly<Record<ObjectState, { objects: number; bytes: number }>>
  readonly byStatus: Readonly<Record<VerifyStatus, { objects: number; bytes: number }>>
}

/** One migration's rows. All methods reject with a `StorageError`. */
export interface Manifest {
  readonly name: string
  /** A value of the migration itself: `settings`, `plan`, … JSON. */
  setting(name: string): Promise<string | undefined>
  setSetting(name: string, value: string): Promise<void>
  /** Rows in UTF-8 order of the source key, read page by page as they are taken. */
  rows(options?: RowRange & { readonly states?: readonly ObjectState[] }): AsyncIterable<ManifestRow>
  /** The same in UTF-8 order of the destination key, for comparing with a list of the destination. */
  rowsByDestination(options?: { readonly states?: readonly ObjectState[] }): AsyncIterable<ManifestRow>
  row(sourceKey: string): Promise<ManifestRow | undefined>
  /**
   * Changes rows, durable when it resolves. Grouped with what others write at the same moment, so call it once per object.
   * A row that is absent is added (then `destinationKey`, `state` and `size` must be given).
   */
  write(changes: readonly RowChange[]): Promise<void>
  counts(range?: RowRange): Promise<ManifestCounts>
}
