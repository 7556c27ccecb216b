/**
 * The state of a migration, in SQL: one row per object. What is written here has happened; what was under way when a
 * process ended is done again.
 */
import type { VerifyLevel } from './migrate-options.ts'

/**
 * - `planned`: to be copied, also again where one of the sides has changed since.
 * - `copied`: at the destination, as `destinationEtag` and `destinationSize` say.
 * - `failed`: every try failed; the next run tries again.
 * - `refused`: not copied and not tried: a collision, a key that the destination can't hold, another object in its place.
 * - `gone`: was planned or copied, and is no longer at the source, or is left out now.
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

/**
 * What the destination had in an object's place when it was listed: `ours`, put there by this migration and as
 * `destinationEtag` and `destinationSize` say; or `foreign`, anything else. Absent: nothing.
 */
export type Occupant = 'ours' | 'foreign'

/** One object. Absent fields are not known (yet). */
export interface ManifestRow {
  readonly sourceKey: string
  /** Empty where the conversion gave no key that could be asked for. */
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
  /** What lay in its place when the destination was listed. */
  readonly occupant?: Occupant
  /** The destination's key as a destination that folds case or Unicode forms knows it; absent where it folds nothing. */
  readonly place?: string
  /** Raised by each change of the row: what `ifRevision` compares. */
  readonly revision: number
}

/** What changes of a row. `null` clears a field. */
export type RowChange = {
  readonly sourceKey: string
  /**
   * Change the row only where it still has this revision; else the change is dropped, without an error. 0: add the row
   * only where there is none.
   */
  readonly ifRevision?: number
} & {
  readonly [Name in Exclude<keyof ManifestRow, 'sourceKey' | 'revision'>]?: ManifestRow[Name] | null
} & {
  /** Taken and left alone, so that a row that was read can be given back with changes. */
  readonly revision?: number
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
  /** Of all rows but those that are gone. */
  readonly byStatus: Readonly<Record<VerifyStatus, { objects: number; bytes: number }>>
}

export interface Workload {
  readonly objects: number
  readonly bytes: number
  readonly requests: number
}

/** Which rows. */
export interface RowsOptions extends RowRange {
  readonly states?: readonly ObjectState[]
  readonly statuses?: readonly VerifyStatus[]
}

export interface DestinationOrder {
  readonly states?: readonly ObjectState[]
  /** Default `destinationKey`. */
  readonly by?: 'destinationKey' | 'place'
}

/** One migration's rows. All methods reject with a `StorageError`. */
export interface Manifest {
  readonly name: string
  /** A value of the migration itself: `settings`, `plan`, … JSON. As it is now, whoever wrote it. */
  setting(name: string): Promise<string | undefined>
  setSetting(name: string, value: string): Promise<void>
  /** Rows in UTF-8 order of the source key, read page by page as they are taken. Rows that change meanwhile are told as they are when their page is read. */
  rows(options?: RowsOptions): AsyncIterable<ManifestRow>
  /** The same, a page at a time. */
  rowPages(options?: RowsOptions): AsyncIterable<readonly ManifestRow[]>
  /**
   * The same in UTF-8 order of the destination key, for comparing with a list of the destination; `place`: of what stands in
   * `place`, and only rows that have one. Rows without a destination key, whose conversion failed, are left out.
   */
  rowPagesByDestination(options?: DestinationOrder): AsyncIterable<readonly ManifestRow[]>
  rowsByDestination(options?: DestinationOrder): AsyncIterable<ManifestRow>
  row(sourceKey: string): Promise<ManifestRow | undefined>
  /**
   * Changes rows; when it resolves they are as safe as the engine makes a batch. Grouped with what others write at the same moment, so call it once per object.
   * A row that is absent is added (then `destinationKey`, `state` and `size` must be given); a change without these of a
   * row that is absent is dropped.
   */
  write(changes: readonly RowChange[]): Promise<void>
  counts(range?: RowRange): Promise<ManifestCounts>
  /**
   * What is planned or has failed, and the reads and writes that it takes: one each for an object, and one for each part of
   * one from `largeObjectBytes` on.
   */
  workload(parts: { readonly largeObjectBytes: number; readonly partBytes: number }): Promise<Workload>
}
