/** Every reason an operation can fail for. The set is closed: a `switch` over it can be exhaustive. */
export const ERROR_CODES = [
  'not-found',
  'already-exists',
  'precondition-failed',
  'conflict',
  'invalid-key',
  'invalid-argument',
  'unauthenticated',
  'permission-denied',
  'too-large',
  'rate-limited',
  'timeout',
  'aborted',
  'unavailable',
  'checksum-mismatch',
  'unsupported',
  'pending',
  'internal',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

export interface StorageErrorDetails {
  /** The method that failed: `upload`, `download`, … */
  operation?: string
  key?: string
  /** Name of the provider that failed: `s3`, `local`, … */
  provider?: string
  /** HTTP status, where one was received. */
  status?: number
  /** The store's own id of the request, for its support. */
  requestId?: string
  /** True where the same call may succeed later. Says nothing of whether repeating is safe. */
  retryable?: boolean
  /** Milliseconds the store asked to wait before the next try (Retry-After). */
  retryAfterMs?: number
  /** Says that a `not-found` means the bucket, not an object in it. */
  resource?: 'bucket'
  /** True where the answer of an earlier try was lost: its effect may have happened, or may happen yet. */
  uncertain?: boolean
  cause?: unknown
}

/** No cause: it would be foreign. */
export type PlainErrorDetails = Omit<StorageErrorDetails, 'cause'>

/** Codes that another try may cure; adapters may say otherwise for one error. */
const RETRYABLE: readonly ErrorCode[] = ['rate-limited', 'timeout', 'unavailable', 'conflict']

/** Shared by every copy of the package, so that ESM and CommonJS know each other's errors. */
const BRAND = Symbol.for('stowage.StorageError')

/**
 * What a `StorageError` is made of, for parts that must be small and whose every message is written in their source: it
 * cleans nothing, so nothing foreign may be put into it.
 */
export class PlainError extends Error {
  override readonly name = 'StorageError'
  declare readonly code: ErrorCode
  declare readonly operation?: string
  declare readonly key?: string
  declare readonly provider?: string
  declare readonly status?: number
  declare readonly requestId?: string
  declare readonly retryable: boolean
  declare readonly retryAfterMs?: number
  declare readonly resource?: 'bucket'
  declare readonly uncertain?: true

  constructor(code: ErrorCode, message: string, details?: PlainErrorDetails) {
    super(message)
    Object.assign(this, { code, retryable: RETRYABLE.includes(code), ...details })
  }

  get [BRAND](): true {
    return true
  }

  /** What `JSON.stringify` and structured loggers see. */
  toJSON(): Record<string, unknown> {
    return { ...(this as object), message: this.message }
  }
}

/** Whether `error` is a `StorageError`, and of one of `codes` where any are given. */
export function isStorageError(error: unknown, ...codes: ErrorCode[]): error is PlainError {
  const failure = error as PlainError | null | undefined
  return failure?.[BRAND] === true && (codes.length === 0 || codes.includes(failure.code))
}

/** @param details what is `undefined` in them becomes a property all the same */
export function plainError(
  operation: string,
  problem: string,
  code: ErrorCode = 'invalid-argument',
  details?: PlainErrorDetails,
): PlainError {
  return new PlainError(code, `${operation}: ${problem}`, { operation, ...details })
}
