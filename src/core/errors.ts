import { redact, redactError } from './redact.ts'

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

/** Codes that another try may cure; adapters may say otherwise for one error. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['rate-limited', 'timeout', 'unavailable', 'conflict'])

/** Shared by every copy of the package, so that `instanceof` holds between ESM and CommonJS. */
const BRAND = Symbol.for('stowage.StorageError')

/**
 * The one error that every operation throws.
 *
 * The message never holds a secret or the query of a signed URL, nor does the cause, which is a cleaned copy
 * of what the vendor's library threw.
 *
 * @example
 * ```ts
 * try {
 *   await files.info('a/photo.jpg')
 * } catch (error) {
 *   if (isStorageError(error, 'not-found')) return undefined
 *   throw error
 * }
 * ```
 */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: ErrorCode
  declare readonly operation?: string
  declare readonly key?: string
  declare readonly provider?: string
  declare readonly status?: number
  declare readonly requestId?: string
  readonly retryable: boolean
  declare readonly retryAfterMs?: number
  declare readonly resource?: 'bucket'
  declare readonly uncertain?: true

  constructor(code: ErrorCode, message: string, details: StorageErrorDetails = {}) {
    super(redact(message), details.cause === undefined ? undefined : { cause: redactError(details.cause) })
    this.code = code
    if (details.operation !== undefined) this.operation = details.operation
    if (details.key !== undefined) this.key = details.key
    if (details.provider !== undefined) this.provider = details.provider
    if (details.status !== undefined) this.status = details.status
    if (details.requestId !== undefined) this.requestId = details.requestId
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
    if (details.resource !== undefined) this.resource = details.resource
    if (details.uncertain) this.uncertain = true
    this.retryable = details.retryable ?? RETRYABLE.has(code)
    Object.defineProperty(this, BRAND, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value
  }

  /** What `JSON.stringify` and structured loggers see. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, operation, key, provider, status, requestId, retryable } = this
    return { name, code, message, operation, key, provider, status, requestId, retryable }
  }
}

/** The same error, for an operation of which an earlier try's answer was lost. */
export function uncertain(error: StorageError): StorageError {
  const { code, message, operation, key, provider, status, requestId, retryable, retryAfterMs, resource } =
    error
  const details = { operation, key, provider, status, requestId, retryable, retryAfterMs, resource }
  return new StorageError(code, message, { ...details, uncertain: true, cause: error.cause })
}

/** Whether `error` is a `StorageError`, and of one of `codes` where any are given. */
export function isStorageError(error: unknown, ...codes: ErrorCode[]): error is StorageError {
  return error instanceof StorageError && (codes.length === 0 || codes.includes(error.code))
}

export function invalidArgument(operation: string, provider: string, problem: string): StorageError {
  return new StorageError('invalid-argument', `${operation}: ${problem}`, { operation, provider })
}

export function unsupported(operation: string, provider: string, what: string): StorageError {
  return new StorageError('unsupported', `${operation}: ${what}`, { operation, provider })
}

export function readOnly(operation: string, provider: string): StorageError {
  return unsupported(operation, provider, 'this provider is read-only')
}
