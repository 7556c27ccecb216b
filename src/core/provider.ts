/**
 * The contract. Read this file first: everything else implements, wraps or tests it.
 *
 * Every method rejects with a `StorageError` and with nothing else. Every method checks its arguments before it
 * sends anything. No method is optional: what a provider can't do stands in `capabilities`, and calling it throws
 * `unsupported` before any request.
 */

import type { UploadBody } from './body.ts'
import type { Capabilities } from './capabilities.ts'
import type { Download } from './download.ts'
import type { Listing } from './listing.ts'
import type {
  CopyOptions,
  DeleteOptions,
  DownloadOptions,
  InfoOptions,
  KeyInput,
  ListOptions,
  OperationOptions,
  ProbeOptions,
  SignedUploadOptions,
  SignedUrlOptions,
  UnfinishedUploadsOptions,
  UploadOptions,
} from './options.ts'
import type { DeleteResult, KeyResult, ObjectInfo, SignedUpload, SignedUrl } from './results.ts'
import type { RangeSource, ResumableUploadOptions } from './resumable-upload.ts'
import type { UnfinishedUploads } from './unfinished-uploads.ts'

export interface StorageProvider {
  /** Short name for messages and metrics: `s3`, `local`, … A decorator keeps the name of what it wraps. */
  readonly name: string

  /**
   * Which store this is and which part of it: two providers have one location exactly where every key names the same
   * object in both. Stands before keys: `prefix` appends its root, so that location and key together name an object.
   * The same in every process, but of a store that lives in one (`memory`). Holds no secret. To be compared and hashed,
   * not to be read: its form may change.
   */
  readonly location: string

  /**
   * What this provider can and can't do. A value is `'unknown'` where only the endpoint can tell and it has not
   * been asked yet; `probe()` asks.
   */
  readonly capabilities: Capabilities

  /**
   * Resolves every `'unknown'` capability, or those of `only`, by asking the endpoint, once; later calls answer from memory. May write
   * and remove a small object under the name `.stowage-probe-…`.
   */
  probe(options?: ProbeOptions): Promise<Capabilities>

  /**
   * Stores `body` under `key`, all or nothing: a failed, aborted, short or long upload leaves what was there
   * before, and until it ends a reader sees the old object or none. Never holds a stream whole in memory. Bytes are not copied: leave them
   * unchanged until the promise has settled.
   *
   * @throws `already-exists` under `ifNoneMatch: '*'`; `precondition-failed` under `ifMatch`, also where nothing
   *   is stored; `checksum-mismatch`; `too-large`; `invalid-argument` where the body is longer or shorter than
   *   `size`; `aborted` where the body itself fails
   */
  upload(key: string, body: UploadBody, options?: UploadOptions): Promise<ObjectInfo>

  /**
   * Stores a large object in parts, all or nothing as `upload`. What was sent before it fails, is aborted or its process is killed stays in
   * the store, unseen: a later call, in any process, that is given token and parts as `resume` sends the rest. One whose
   * upload is gone, or whose size or attributes are others by now, begins anew; one that was completed without anybody hearing of
   * it is success. What nobody goes on with stands in `unfinishedUploads`, where the store lists such.
   *
   * @throws `unsupported` without `capabilities.resumableUpload`; `already-exists` under `ifNoneMatch: '*'` and `precondition-failed` under
   *   `ifMatch`, which remove what was sent; `invalid-argument` where `source` gives other than the bytes asked for; `aborted` where
   *   it, `onToken` or `onPart` fails; what `source` fails with, where that is a `StorageError`
   * @example
   * ```ts
   * const noted: { token?: string; parts: UploadedPart[] } = { parts: [] } // kept where a crash leaves it
   * const { token, parts } = noted
   * await files.uploadResumable('film.mov', source, {
   *   ...(token === undefined ? {} : { resume: { token, parts } }),
   *   onToken: token => void Object.assign(noted, { token, parts: [] }),
   *   onPart: part => void noted.parts.push(part),
   * })
   * ```
   */
  uploadResumable(key: string, source: RangeSource, options?: ResumableUploadOptions): Promise<ObjectInfo>

  /**
   * Opens the object. Resolves when its head has arrived; the bytes follow as they are read. A connection that
   * breaks makes the read fail: short data is never success.
   *
   * @throws `not-found`; `precondition-failed` under `ifMatch`, or where `ifNoneMatch` names the object's etag
   *   (status 304); `invalid-argument` for a range that starts at the object's size or beyond it (status 416)
   */
  download(key: string, options?: DownloadOptions): Promise<Download>

  /** The object's attributes. A field the store did not send is absent, never guessed. @throws `not-found` */
  info(key: string, options?: InfoOptions): Promise<ObjectInfo>

  /** Attributes of many objects, a result or an error per key, in the order of `keys`. */
  infoMany(keys: KeyInput, options?: OperationOptions): Promise<KeyResult<ObjectInfo>[]>

  /** Only a missing object is `false`; every other failure throws, a missing bucket (`not-found`) included. */
  exists(key: string, options?: OperationOptions): Promise<boolean>

  /**
   * The objects under a prefix in UTF-8 order, however many there are. A page that fails makes the iteration
   * throw: a list is never silently partial.
   */
  list(options?: ListOptions): Listing

  /**
   * Copies the object with content, type, headers and metadata, onto what is there. Options replace single
   * attributes; `copy(key, key, {metadata})` edits them in place. @throws `not-found`
   */
  copy(from: string, to: string, options?: CopyOptions): Promise<ObjectInfo>

  /**
   * As `copy`, and the source is gone afterwards, but where it is the destination, too. A failure leaves at least
   * one of the two whole.
   */
  move(from: string, to: string, options?: CopyOptions): Promise<ObjectInfo>

  /**
   * Removes the object, or with `versionId` exactly that version of it. Idempotent: one that was not there is no
   * error. No request is made to find out.
   */
  delete(key: string, options?: DeleteOptions): Promise<DeleteResult>

  /**
   * Removes many, with as few requests as the store takes, and says per key, in order, what became of it. Entries may
   * be `{ key, versionId }`, which remove that version. Rejects only for bad arguments or an abort; a key that failed
   * has `status: 'error'`.
   */
  deleteMany(keys: KeyInput, options?: OperationOptions): Promise<DeleteResult[]>

  /**
   * A URL that anyone may use until it expires, bound to its key and method. Does not promise that the object
   * exists (see `capabilities.signedUrl.checksExistence`).
   */
  signedUrl(key: string, options?: SignedUrlOptions): Promise<SignedUrl>

  /** Many at once, in as few requests as the store allows; a URL or an error per key, in order. */
  signedUrls(keys: KeyInput, options?: SignedUrlOptions): Promise<KeyResult<SignedUrl>[]>

  /**
   * What a browser needs to upload one object directly, without the bytes passing through the backend. Where
   * `capabilities.signedUpload.finalizes`, the object is there when the backend has finalized it.
   */
  signedUpload(key: string, options: SignedUploadOptions): Promise<SignedUpload>

  /** The address of an object in a public bucket. Makes no request, so does not know whether it is public. */
  publicUrl(key: string): string

  /**
   * Uploads in parts that were begun and have not ended, those under way included: what a process that was killed has
   * left costs space and stands in no list. Asked for page by page as they are read. On MinIO, which lists no others,
   * `prefix` must be a whole key.
   *
   * @throws `unsupported` without `capabilities.unfinishedUploads`
   * @example
   * ```ts
   * const dayAgo = Date.now() - 86_400_000
   * for await (const { key, uploadId, startedAt } of files.unfinishedUploads({ prefix: 'a/' }))
   *   if (startedAt !== undefined && startedAt.getTime() < dayAgo) await files.abortUpload(key, uploadId)
   * ```
   */
  unfinishedUploads(options?: UnfinishedUploadsOptions): UnfinishedUploads

  /**
   * Ends an unfinished upload and removes all its parts. Idempotent: one that is not there is no error. A part that is
   * on its way meanwhile may be stored after that: abort what is under way again.
   *
   * @throws `unsupported` without `capabilities.unfinishedUploads`; `conflict` where parts keep arriving
   */
  abortUpload(key: string, uploadId: string, options?: OperationOptions): Promise<void>

  /**
   * The store's present time, by the clock that `lastModified` is made by: a moment between call and answer, cut to
   * the second where the store tells no more. One small request to a store over the network, none to others.
   */
  clock(options?: OperationOptions): Promise<Date>

  /** Releases sockets and handles. Later calls throw `invalid-argument`. Calling it twice is fine. */
  close(): Promise<void>
}

export type { Capabilities } from './capabilities.ts'
export type * from './options.ts'
export type * from './results.ts'
export type * from './resumable-upload.ts'
export type { UnfinishedUploads } from './unfinished-uploads.ts'
