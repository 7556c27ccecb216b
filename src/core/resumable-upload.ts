import type { ObjectAttributes, OperationOptions, Progress } from './options.ts'

/** Where the bytes of a resumable upload come from: any of them, at any time. */
export interface RangeSource {
  /** Bytes in all. */
  readonly size: number
  /**
   * The bytes from `start` up to and not including `end`. Called for several parts at once, and again for a part that is sent
   * again: the same bytes each time. Bytes are not copied: leave them unchanged until the upload has settled.
   */
  read(
    start: number,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | AsyncIterable<Uint8Array>>
}

/** A part that the store has. As JSON it keeps: hand it back to go on. */
export interface UploadedPart {
  readonly start: number
  /** The first byte that is not in it. */
  readonly end: number
  /** SHA-256 of the bytes that were sent, in hexadecimal. */
  readonly sha256: string
  /** What the store calls the part, where it names parts: without it, such a part is sent again. */
  readonly etag?: string
}

/** An upload that was begun: what `onToken` and `onPart` told. */
export interface ResumedUpload {
  readonly token: string
  readonly parts: readonly UploadedPart[]
}

export interface ResumableUploadOptions extends OperationOptions, ObjectAttributes {
  /** Store only where nothing is stored under the key: else `already-exists`. */
  ifNoneMatch?: '*'
  /** Store only over the object with this etag: else `precondition-failed`. */
  ifMatch?: string
  /** Goes on with an upload that an earlier call, in any process, has begun and not ended. */
  resume?: ResumedUpload
  /**
   * Bytes of a part. Only a wish: S3 wants 5 MiB at least and 10,000 parts at most, and an upload that goes on keeps the size
   * that it began with. Default: the adapter's.
   */
  partBytes?: number
  /** Parts under way at once, each held in memory. Default: the adapter's; 1 where a store takes one after the other. */
  concurrency?: number
  /**
   * Called when an upload was begun, before its first part is sent; parts of another token are void then. Waited for, and
   * what it throws ends the upload. The token is a secret, as a signed URL is. Absent: nobody can go on, and what a failed call
   * has sent is removed.
   */
  onToken?: (token: string) => void | Promise<void>
  /** Called for each part that this call has sent, in any order. Waited for, and what it throws ends the upload. */
  onPart?: (part: UploadedPart) => void | Promise<void>
  /** Called with the bytes that the store has, those of an earlier call among them. What it throws is dropped. */
  onProgress?: (progress: Progress) => void
}
