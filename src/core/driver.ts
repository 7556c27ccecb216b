/**
 * What an adapter implements. `defineProvider` makes a `StorageProvider` of it and does once what every adapter
 * would have to do again: it checks keys, options and conditions, opens bodies, finds content types, keeps
 * deadlines, splits batches, orders pages, and turns what a vendor throws into a `StorageError`.
 *
 * A driver may therefore rely on: valid keys and arguments, conditions only where its capabilities have them,
 * batches no larger than it says. It may throw anything; `translate` names it.
 */
import type { Body } from './body.ts'
import type { Capabilities, CapabilitySwitch, SignedMethod } from './capabilities.ts'
import type { ChecksumRequest } from './checksum.ts'
import type { ByteSource } from './download.ts'
import type { ErrorCode } from './errors.ts'
import type { KeyEntry, OwnOptions } from './options.ts'
import type { ByteSpan, HttpRange } from './range.ts'
import type {
  DeleteResult,
  KeyResult,
  ListEntry,
  ObjectInfo,
  SignedUpload,
  SignedUrl,
  UnfinishedUpload,
} from './results.ts'
import type { ResumedUpload, UploadedPart } from './resumable-upload.ts'

export interface Driver {
  readonly name: string
  /** As `StorageProvider.location`; best made by `locationOf`. */
  readonly location: string
  readonly capabilities: Capabilities
  /** Most keys that `removeMany` takes in one call. */
  readonly deleteBatchSize: number
  /** Most keys that `signMany` takes in one call. */
  readonly signBatchSize: number
  /** Requests under way at once for what has no batch: `infoMany`, and batches side by side. */
  readonly concurrency: number
  /**
   * Options that this driver takes beyond those of the contract, by operation. They are handed to it, unchecked, as
   * `own` of its requests.
   */
  readonly ownOptions?: OwnOptions

  /** Asks the endpoint whether it has a capability that is `'unknown'`, and remembers the answer. */
  ask(capability: CapabilitySwitch, signal: AbortSignal | undefined): Promise<boolean>

  /**
   * Stores the body, all or nothing. The stream throws at its end where the body must not be stored. Conflicts of
   * conditions are `already-exists` for `ifNoneMatch` and `precondition-failed` for `ifMatch`.
   */
  write(request: WriteRequest): Promise<ObjectInfo>
  /** Absent where `capabilities.resumableUpload` is false. See `ResumableRequest`. */
  writeResumable?(request: ResumableRequest): Promise<ObjectInfo>
  read(request: ReadRequest): Promise<ReadAnswer>
  head(request: HeadRequest): Promise<ObjectInfo>
  /** Where one request tells of many keys: a result per key, in order. Absent: each key is asked for by `head`. */
  readonly headMany?: HeadMany
  /** One page in UTF-8 order. */
  listPage(request: ListRequest): Promise<ListAnswer>
  copy(request: CopyRequest): Promise<ObjectInfo>
  move(request: CopyRequest): Promise<ObjectInfo>
  remove(request: RemoveRequest): Promise<DeleteResult>
  /** A result per key, in order; a key that failed has `status: 'error'`. */
  removeMany(entries: readonly KeyEntry[], request: RemoveManyRequest): Promise<DeleteResult[]>
  /** A result per key, in order. One key is asked for as a batch of one. */
  signMany(keys: readonly string[], request: SignRequest): Promise<KeyResult<SignedUrl>[]>
  signUpload(request: SignUploadRequest): Promise<SignedUpload>
  publicUrl(key: string): string
  /** Absent where `capabilities.unfinishedUploads` is false. */
  readonly unfinished?: UnfinishedParts
  /** The present time by the clock that `lastModified` is made by; whole seconds are fine. */
  clock(signal: AbortSignal | undefined): Promise<Date>
  close(): Promise<void>

  /** Names an error of the vendor's library; undefined for one that it does not know. */
  translate(error: unknown): Translation | undefined
}

/** A vendor's error in our terms. */
export interface Translation {
  readonly code: ErrorCode
  readonly message?: string
  readonly status?: number
  readonly requestId?: string
  readonly retryable?: boolean
  readonly retryAfterMs?: number
  /** Given for a missing bucket, so that `exists` doesn't take it for a missing object. */
  readonly resource?: 'bucket'
}

/** What is stored beside the bytes, checked: metadata names are in lower case. */
export interface Attributes {
  readonly contentType?: string
  readonly cacheControl?: string
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly contentLanguage?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly storageClass?: string
}

export interface WriteRequest {
  readonly key: string
  readonly body: Body
  /** `contentType` is always given. */
  readonly attributes: Attributes & { readonly contentType: string }
  readonly checksum: ChecksumRequest | undefined
  readonly ifNoneMatch: '*' | undefined
  readonly ifMatch: string | undefined
  readonly own: OwnValues
  readonly signal: AbortSignal | undefined
}

/** One part of a source, whole. Its memory may be used again after `release`. */
export interface PartBytes {
  readonly bytes: Uint8Array
  /** In hexadecimal. */
  readonly sha256: string
  release(): void
}

export interface PartSource {
  readonly size: number
  /** Rejects where the source fails or gives bytes of another length. */
  read(start: number, end: number, signal: AbortSignal | undefined): Promise<PartBytes>
}

/**
 * All or nothing as `write`. What has been sent stays when it fails, but where `begun` is absent, or where the store has refused a
 * condition: then it is removed. `resume` whose upload is gone, or was begun with another size or with other attributes, begins a new one; an
 * upload that was completed meanwhile, so that only its answer was lost, is looked at and is success. Of `resume.parts` those are sent again that
 * the store does not confirm. What fits into one part is sent as one, and `begun` is not called.
 */
export interface ResumableRequest {
  readonly key: string
  readonly source: PartSource
  readonly attributes: Attributes & { readonly contentType: string }
  readonly ifNoneMatch: '*' | undefined
  readonly ifMatch: string | undefined
  readonly resume: ResumedUpload | undefined
  readonly partBytes: number | undefined
  readonly concurrency: number | undefined
  /** To be waited for before the first part is sent. */
  readonly begun: ((token: string) => Promise<void>) | undefined
  /** So many bytes of `resume` are in use. */
  kept(bytes: number): void
  /** To be waited for after each part that was sent. */
  stored(part: UploadedPart): Promise<void>
  readonly signal: AbortSignal | undefined
}

/** Values of the driver's `ownOptions`, those that were given. */
export type OwnValues = Readonly<Record<string, unknown>>

export interface HeadRequest {
  readonly key: string
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly signal: AbortSignal | undefined
}

export interface ReadRequest extends HeadRequest {
  readonly range: Exclude<HttpRange, { kind: 'empty' }> | undefined
  /** Memory that the body may be read into; it is the body's only chunk then. As long as the range. */
  readonly into?: Uint8Array | undefined
}

export interface ReadAnswer {
  /** `size` is the whole object's, also for a range. */
  readonly info: ObjectInfo
  readonly span?: ByteSpan
  readonly source: ByteSource
}

export interface ListRequest {
  readonly prefix: string
  readonly delimiter: '/' | undefined
  /** Entries up to and including this name may be sent again; they are dropped. */
  readonly startAfter: string | undefined
  /** What the page before returned, within one iteration. */
  readonly cursor: string | undefined
  readonly limit: number
  readonly signal: AbortSignal | undefined
}

export interface ListAnswer {
  readonly entries: ListEntry[]
  readonly done: boolean
  readonly cursor?: string
}

export interface CopyRequest {
  readonly from: string
  readonly to: string
  /** Attributes that replace those of the source; absent ones are kept. */
  readonly attributes: Attributes
  readonly ifNoneMatch: '*' | undefined
  readonly ifMatch: string | undefined
  readonly own: OwnValues
  readonly signal: AbortSignal | undefined
}

export interface RemoveRequest {
  readonly key: string
  readonly ifMatch: string | undefined
  /** Given only under `capabilities.versionedDelete`. */
  readonly versionId: string | undefined
  readonly own: OwnValues
  readonly signal: AbortSignal | undefined
}

export interface RemoveManyRequest {
  readonly own: OwnValues
  readonly signal: AbortSignal | undefined
}

/** What the driver of a store that tells of many objects at once has beside the rest. */
export interface HeadMany {
  /** Most keys in one call. */
  readonly batchSize: number
  ask(keys: readonly string[], signal: AbortSignal | undefined): Promise<KeyResult<ObjectInfo>[]>
}

/** What the driver of a store with uploads in parts has beside the rest. */
export interface UnfinishedParts {
  /** One page of what was begun in parts and not ended, by key: all uploads to one key are on one page. */
  page(request: UnfinishedRequest): Promise<UnfinishedAnswer>
  /** Resolves when no part of the upload is left, also where there never was one. */
  abort(request: AbortUploadRequest): Promise<void>
}

export interface UnfinishedRequest {
  readonly prefix: string
  /** Only keys behind this string. */
  readonly startAfter: string | undefined
  readonly signal: AbortSignal | undefined
}

export interface UnfinishedAnswer {
  readonly uploads: readonly UnfinishedUpload[]
  /** What the next page starts after; absent where there is none. */
  readonly next?: string
}

export interface AbortUploadRequest {
  readonly key: string
  readonly uploadId: string
  readonly signal: AbortSignal | undefined
}

export interface SignRequest {
  readonly expiresIn: number
  readonly method: SignedMethod
  /** The name to save under. */
  readonly download: string | undefined
  readonly contentType: string | undefined
  readonly signal: AbortSignal | undefined
}

export interface SignUploadRequest {
  readonly key: string
  readonly expiresIn: number | undefined
  readonly contentType: string | undefined
  readonly size: number | undefined
  readonly maxSize: number | undefined
  readonly own: OwnValues
  readonly signal: AbortSignal | undefined
}
