import type { CacheCounts } from '../core/cache-outcomes.ts'
import type { ErrorCode, StorageError } from '../core/errors.ts'
import type { OperationName } from '../core/options.ts'

/** What is known of an operation when it starts. */
export interface OperationStart {
  readonly operation: OperationName
  /** Name of the adapter below: `s3`, `local`, … */
  readonly provider: string
  /** The key; of `copy` and `move` the source. Absent in calls for many keys and in lists. */
  readonly key?: string
  /** Destination of `copy` and `move`. */
  readonly to?: string
  /** Prefix of a list. */
  readonly prefix?: string
}

/** What is known of it when it has ended. */
export interface OperationEvent extends OperationStart {
  readonly outcome: 'ok' | ErrorCode
  /** Present where the outcome is not `'ok'`. Its message holds no secret and no signed query. */
  readonly error?: StorageError
  /** Milliseconds from the call to its end; for a download to the end of its body. */
  readonly durationMs: number
  /** Bytes of the body that an upload has sent; of a resumable one, those of parts that were stored by this call. */
  readonly bytesSent?: number
  /** Bytes of its body that a download has given. */
  readonly bytesReceived?: number
  /** Keys of a call for many, or entries of a page of a list. */
  readonly count?: number
  /** Keys of a call for many that failed; its outcome is `'ok'` all the same. */
  readonly failed?: number
  /**
   * What `signedUrl` and `signedUrls` found in a `cacheSignedUrls` further in; absent without one, and where none of the
   * URLs is of a kind that is kept.
   */
  readonly cache?: CacheCounts
}

/** One operation as it is being observed. */
export interface Observation {
  /** Called once, when it has ended. */
  end(event: OperationEvent): void
  /** Calls `work`, which begins the operation, where that needs surroundings: a span that is the current one. */
  within?(work: () => void): void
}

/** A function that is told of each operation when it has ended, or an object that is told of its start, too. */
export type Observer =
  | ((event: OperationEvent) => unknown)
  | { start(operation: OperationStart): Observation | undefined }
