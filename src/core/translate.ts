import { endedError } from './deadline.ts'
import type { Translation } from './driver.ts'
import { type ErrorCode, StorageError } from './errors.ts'

/** What the operating system, the resolver and HTTP clients call their failures. */
const SYSTEM_CODES: Record<string, { code: ErrorCode; message: string; retryable?: boolean }> = {
  ECONNREFUSED: {
    code: 'unavailable',
    message: 'the server refused the connection; is it running and is the endpoint right?',
  },
  ECONNRESET: { code: 'unavailable', message: 'the connection broke' },
  EPIPE: { code: 'unavailable', message: 'the connection broke' },
  ENOTFOUND: { code: 'unavailable', message: "the server's name can't be resolved; is the endpoint right?" },
  EAI_AGAIN: { code: 'unavailable', message: "the server's name can't be resolved now" },
  EHOSTUNREACH: { code: 'unavailable', message: 'the server is out of reach' },
  ENETUNREACH: { code: 'unavailable', message: 'the server is out of reach' },
  ETIMEDOUT: { code: 'timeout', message: 'the server did not answer in time' },
  UND_ERR_CONNECT_TIMEOUT: { code: 'timeout', message: 'the server took no connection in time' },
  UND_ERR_HEADERS_TIMEOUT: { code: 'timeout', message: 'the server sent no answer in time' },
  UND_ERR_BODY_TIMEOUT: { code: 'timeout', message: 'the server stopped sending' },
  UND_ERR_SOCKET: { code: 'unavailable', message: 'the connection broke' },
  UND_ERR_DESTROYED: { code: 'unavailable', message: 'the connection was closed' },
  UND_ERR_CLOSED: { code: 'unavailable', message: 'the connection was closed' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { code: 'unavailable', message: 'the server sent less than it said' },
  ENOSPC: { code: 'unavailable', message: 'the disk is full; nothing was stored', retryable: false },
  EDQUOT: { code: 'unavailable', message: 'the disk quota is used up; nothing was stored', retryable: false },
  EFBIG: { code: 'too-large', message: 'the file is larger than the disk allows' },
  EACCES: { code: 'permission-denied', message: 'the operating system denies it' },
  EPERM: { code: 'permission-denied', message: 'the operating system denies it' },
  EROFS: { code: 'permission-denied', message: 'the file system is read-only' },
  EMFILE: { code: 'unavailable', message: 'too many files are open' },
  ENFILE: { code: 'unavailable', message: 'too many files are open' },
}

/** undici's parser gives no code, or one of llhttp's many. */
const NO_HTTP = { code: 'unavailable', message: 'the server does not speak HTTP' } as const

/** Codes by HTTP status, for an answer that says no more than that. */
const STATUS_CODES: Record<number, ErrorCode> = {
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  408: 'timeout',
  409: 'conflict',
  411: 'invalid-argument',
  412: 'precondition-failed',
  413: 'too-large',
  416: 'invalid-argument',
  423: 'conflict',
  429: 'rate-limited',
  501: 'unsupported',
  503: 'unavailable',
  504: 'timeout',
}

export function codeOfStatus(status: number): ErrorCode {
  return STATUS_CODES[status] ?? (status >= 500 ? 'unavailable' : 'internal')
}

/** Milliseconds of a `Retry-After` header, in seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  if (header === null || header === undefined || header === '') return undefined
  const at = /^\d+$/.test(header) ? now + Number(header) * 1000 : Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

export interface ErrorContext {
  readonly operation: string
  readonly provider: string
  readonly key?: string
  readonly signal: AbortSignal | undefined
  readonly translate: (error: unknown) => Translation | undefined
}

/** The one place where anything thrown becomes a `StorageError` that names operation, key and provider. */
export function toStorageError(error: unknown, context: ErrorContext): StorageError {
  const { operation, provider, key, signal } = context
  const details = { operation, provider, ...(key === undefined ? {} : { key }) }
  if (error instanceof StorageError)
    return error.operation === undefined ? withDetails(error, details) : error
  if (signal?.aborted) return endedError(signal, operation, provider, key)
  const named = context.translate(error)
  if (named !== undefined) {
    const { code, message, ...rest } = named
    return new StorageError(code, `${operation}: ${message ?? messageOf(error)}`, {
      ...details,
      ...rest,
      cause: error,
    })
  }
  const system = systemError(error)
  if (system !== undefined) {
    return new StorageError(system.code, `${operation}: ${system.message}`, {
      ...details,
      cause: error,
      ...(system.retryable === undefined ? {} : { retryable: system.retryable }),
    })
  }
  return new StorageError('internal', `${operation}: ${messageOf(error)}`, { ...details, cause: error })
}

function withDetails(
  error: StorageError,
  details: { operation: string; provider: string; key?: string },
): StorageError {
  const { code, message, status, requestId, retryable, retryAfterMs, resource, cause } = error
  return new StorageError(code, `${details.operation}: ${message}`, {
    key: error.key,
    status,
    requestId,
    retryable,
    retryAfterMs,
    resource,
    cause,
    ...details,
  })
}

/** Clients wrap the system's error, some several times over (`fetch failed`). */
function systemError(error: unknown): (typeof SYSTEM_CODES)[string] | undefined {
  for (let depth = 0, at = error; depth < 5 && typeof at === 'object' && at !== null; depth++) {
    const code = (at as { code?: unknown }).code
    if (typeof code === 'string' && Object.hasOwn(SYSTEM_CODES, code)) return SYSTEM_CODES[code]
    if ((at as { name?: unknown }).name === 'HTTPParserError') return NO_HTTP
    at = (at as { cause?: unknown }).cause ?? (at as { errors?: unknown[] }).errors?.[0]
  }
  return undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : 'failed for an unknown reason'
}
