import type { UploadBody } from '../core/body.ts'
import type { Listing } from '../core/listing.ts'
import type {
  CopyOptions,
  DeleteOptions,
  KeyInput,
  KeyResult,
  ObjectInfo,
  OperationOptions,
  SignedUrlOptions,
  StorageProvider,
  UploadOptions,
} from '../core/provider.ts'
import type { AdoptOptions, AdoptReport } from './adopt-files.ts'
import type { AuditOptions, AuditReport } from './audit.ts'
import type { CollectOptions, CollectReport } from './collect.ts'
import type { FileDeletion } from './delete-files.ts'
import type { JobStatus, JobsOptions } from './doctor.ts'
import type { FindOptions } from './find-files.ts'
import type { JoinOptions } from './own-options.ts'
import type {
  PreparedUpload,
  PrepareFinalizeOptions,
  PrepareOptions,
  PublishOptions,
} from './prepared-uploads.ts'
import type { RecoverOptions, RecoverReport } from './recover.ts'
import type { DeletedFile, DeletedOptions, RestoreOptions } from './restore-file.ts'
import type { EveryOptions } from './run-every.ts'
import type { SignedFile } from './sign-files.ts'
import type { FinalizeOptions } from './stage-upload.ts'
import type { Worker, WorkerOptions } from './worker.ts'

/** A provider whose files have records, and what records make possible beside the contract. */
export interface RecordedFiles extends StorageProvider {
  /** Whose files these are. */
  readonly tenantId: string

  /** As the contract, and in one breath with the caller's own rows. */
  upload(key: string, body: UploadBody, options?: UploadOptions & JoinOptions): Promise<ObjectInfo>
  copy(from: string, to: string, options?: CopyOptions & JoinOptions): Promise<ObjectInfo>
  move(from: string, to: string, options?: CopyOptions & JoinOptions): Promise<ObjectInfo>
  /** @throws `pending` with the operation's id where the store has not confirmed in time: it goes on by itself */
  delete(key: string, options?: DeleteOptions & JoinOptions): Promise<FileDeletion>
  /** With `also` or `transaction` all keys are one batch, at most 10,000 of them. */
  deleteMany(keys: KeyInput, options?: OperationOptions & JoinOptions): Promise<FileDeletion[]>

  /**
   * Makes a file of what was sent to a signed upload, by the `uploadId` that `signedUpload` returned. Twice gives the
   * same file.
   *
   * @throws `not-found` where nothing was sent, or the upload has expired; `invalid-argument`, `too-large`,
   *   `checksum-mismatch` where what was sent is not what was signed for; `already-exists`, `precondition-failed`
   */
  finalize(uploadId: string, options?: FinalizeOptions): Promise<ObjectInfo>

  /**
   * The first half of an upload: its bytes are stored, and journaled so that they can't be lost. The second half is
   * `publish`, in a transaction that keeps the engine from writing (SQLite, PGlite) or after other work; else `discard`.
   * Its time is not limited while this process lives; when it ends, the bytes are swept.
   *
   * @throws what `upload` throws; `invalid-argument` for conditions, which `publish` takes
   * @example
   * ```ts
   * const photo = await files.prepareUpload('a/photo.jpg', body)
   * db.exec('BEGIN IMMEDIATE')
   * db.prepare('INSERT INTO photos (key, etag) VALUES (?, ?)').run(photo.key, photo.etag)
   * await files.publish(photo, { transaction: db })
   * db.exec('COMMIT')
   * await files.settle(photo.etag)
   * ```
   */
  prepareUpload(key: string, body: UploadBody, options?: PrepareOptions): Promise<PreparedUpload>
  /** The first half of `finalize`. */
  prepareFinalize(uploadId: string, options?: PrepareFinalizeOptions): Promise<PreparedUpload>
  /**
   * Makes a file of prepared bytes. Where it throws without a transaction, they are gone; after a transaction that
   * rolled back they can be published once more within the lease, or discarded, and are swept after it.
   *
   * @throws `already-exists`, `precondition-failed`; `conflict` where they were published, discarded or swept before
   */
  publish(upload: PreparedUpload, options?: PublishOptions): Promise<ObjectInfo>
  /** Deletes prepared bytes, also those of a transaction that rolled back; those of a file stay. Not inside a transaction. */
  discard(upload: PreparedUpload): Promise<void>

  /** Files by their attributes, in key order, with no request to the store. */
  find(options?: FindOptions): Listing

  /** Where the store has the bytes of a file now. @throws `not-found` */
  physicalKey(key: string, options?: OperationOptions): Promise<string>

  /**
   * What `infoMany`, `physicalKey` and `signedUrls` tell of many files, by one query and one signing: for lists of images
   * and downloads. A result or an error per key, in order.
   */
  signedFiles(keys: KeyInput, options?: SignedUrlOptions): Promise<KeyResult<SignedFile>[]>

  /** Records objects that are in the bucket already, where they are. */
  adopt(options?: AdoptOptions): Promise<AdoptReport>

  /** Deleted files that can be restored. */
  deleted(options?: DeletedOptions): Promise<DeletedFile[]>
  /** @throws `not-found`; `already-exists` over a live file */
  restore(key: string, options?: RestoreOptions): Promise<ObjectInfo>

  /** Does now what an operation inside the caller's transaction has left to do, after the commit. Idempotent. */
  settle(operationId: string): Promise<void>
  /** Does what is owed and due: run it at start, or have a worker. */
  recover(options?: RecoverOptions): Promise<RecoverReport>
  /** Recovers in the background, until it is stopped. */
  startWorker(options?: WorkerOptions): Worker

  /** Holds store and database against each other, both as streams. Deletes nothing. */
  audit(options?: AuditOptions): Promise<AuditReport>
  /**
   * Removes objects that no record knows, by way of quarantine: those that were seen twice, a grace apart. A dry run
   * unless `apply`.
   *
   * @throws `conflict`, with nothing removed, where the two clocks differ, the root is another database's, or an audit must
   *   be confirmed first; what store and database throw
   * @example
   * ```ts
   * const { orphans, removed } = await files.collect({ apply: true })
   * ```
   */
  collect(options?: CollectOptions): Promise<CollectReport>
  /** Audits periodically, in one of all processes that do so, until it is stopped. */
  startAudits(options: AuditOptions & EveryOptions<AuditReport>): Worker
  /** Collects periodically, in one of all processes that do so, until it is stopped. */
  startCollects(options: CollectOptions & EveryOptions<CollectReport>): Worker

  /** What is under way or owed, for `stowage doctor` and dashboards. */
  jobs(options?: JobsOptions): Promise<JobStatus[]>
  /** Makes a job due now, with all its attempts before it again. @throws `not-found`; `conflict` while it is worked on */
  retryJob(id: string): Promise<void>
  /**
   * Gives a job up where nothing is lost by it. @throws `not-found`; `conflict` while it is worked on, and for one that
   * must be done, with what to do instead
   */
  cancelJob(id: string): Promise<void>

  /** The files of another tenant, over the same store and database. Closing it closes neither. */
  tenant(id: string): RecordedFiles
}
