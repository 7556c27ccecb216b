import { type ErrorCode, isStorageError, PlainError, type StorageErrorDetails } from './plain-error.ts'
import { redact, redactError } from './redact.ts'

export { ERROR_CODES, type ErrorCode, isStorageError, type StorageErrorDetails } from './plain-error.ts'

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
export class StorageError extends PlainError {
  constructor(code: ErrorCode, message: string, details: StorageErrorDetails = {}) {
    // By name: what else a caller's object may hold must not get into logs.
    const { operation, key, provider, status, requestId, resource, retryable, retryAfterMs, cause } = details
    const known = { operation, key, provider, status, requestId, resource, retryable, retryAfterMs }
    const given = Object.entries({ ...known, uncertain: details.uncertain || undefined })
    super(code, redact(message), Object.fromEntries(given.filter(([, value]) => value !== undefined)))
    if (cause !== undefined)
      Object.defineProperty(this, 'cause', { value: redactError(cause), writable: true, configurable: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isStorageError(value)
  }
}

/** The same error, for an operation of which an earlier try's answer was lost. */
export function uncertain(error: StorageError): StorageError {
  const { code, message, operation, key, provider, status, requestId, retryable, retryAfterMs, resource } =
    error
  const details = { operation, key, provider, status, requestId, retryable, retryAfterMs, resource }
  return new StorageError(code, message, { ...details, uncertain: true, cause: error.cause })
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
