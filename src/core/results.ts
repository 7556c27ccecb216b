import type { SignedMethod } from './capabilities.ts'
import type { Checksum } from './checksum.ts'
import type { StorageError } from './errors.ts'

/** Attributes of an object. A field that the store did not send is absent. */
export interface ObjectInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly contentType?: string
  /** Opaque and without quotes; changes with the content. Not an MD5, whatever it looks like. */
  readonly etag?: string
  readonly lastModified?: Date
  readonly cacheControl?: string
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly contentLanguage?: string
  /** What the user stored with the object; names in lower case. Lists leave it out where the store does. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly checksum?: Checksum
  readonly storageClass?: string
  /** In versioned buckets. */
  readonly versionId?: string
}

/** What a list yields: objects, and under a `delimiter` the folded prefixes between them. */
export type ListEntry =
  | ({ readonly kind: 'object' } & ObjectInfo)
  | { readonly kind: 'prefix'; readonly prefix: string }

/** One page of a list. `next`, where there is more, is what the next page takes as `after`. */
export interface ListPage {
  readonly items: ListEntry[]
  readonly next?: string
}

/** What became of one key in a call for many. */
export type KeyResult<Value> =
  | { readonly key: string; readonly ok: true; readonly value: Value }
  | { readonly key: string; readonly ok: false; readonly error: StorageError }

/** An upload in parts that was begun and has been neither completed nor aborted. Its parts cost space unseen. */
export interface UnfinishedUpload {
  readonly key: string
  /** What `abortUpload` takes. */
  readonly uploadId: string
  /**
   * When it was begun, by the store's clock; on versitygw when its latest part came. It may be under way still: a young
   * one is no left-over.
   */
  readonly startedAt?: Date
}

/**
 * `deleted`: it was there and is not now. `missing`: it was not there. `gone`: it is not there now, and the store
 * can't tell which of the two. A delete that only hid the object behind a delete marker (a versioned bucket) is
 * `gone` with `deleteMarker: true`. Where a version was named, `versionId` is that version.
 */
export type DeleteResult =
  | {
      readonly key: string
      readonly status: 'deleted' | 'missing' | 'gone'
      readonly deleteMarker?: true
      readonly versionId?: string
    }
  | { readonly key: string; readonly status: 'error'; readonly error: StorageError }

export interface SignedUrl {
  readonly url: string
  readonly expiresAt: Date
  readonly method: SignedMethod
  /** Headers that the request must carry, where the signature binds them. */
  readonly headers: Readonly<Record<string, string>>
}

/** `PUT`: send the bytes as the body, with `headers`. `POST`: a form with `fields` and then the bytes as `file`. */
export type SignedUpload = {
  readonly url: string
  readonly expiresAt: Date
  /** Names the upload to the backend, which has to finalize it (`capabilities.signedUpload.finalizes`). */
  readonly uploadId?: string
} & (
  | { readonly method: 'PUT'; readonly headers: Readonly<Record<string, string>> }
  | { readonly method: 'POST'; readonly fields: Readonly<Record<string, string>> }
)
