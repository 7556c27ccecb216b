import type { Translation } from '../../core/driver.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { codeOfStatus } from '../../core/translate.ts'

/** An answer that says no. */
export class StorageFailure extends Error {
  override readonly name = 'StorageFailure'
  /** What the body says, which is the truth: the HTTP status is 400 for nearly everything. */
  readonly status: number
  readonly code: string | undefined
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    parts: { status: number; code?: string; requestId?: string; retryAfterMs?: number },
  ) {
    super(message)
    this.status = parts.status
    this.code = parts.code
    this.requestId = parts.requestId
    this.retryAfterMs = parts.retryAfterMs
  }
}

/** Reads the body of a refusal: JSON from the API, plain text from TUS, HTML from what stands in front of it. */
export function failureOf(
  httpStatus: number,
  text: string,
  details: { requestId?: string; retryAfterMs?: number },
): StorageFailure {
  const body = jsonObject(text)
  const named = Number(body?.statusCode)
  const status = Number.isInteger(named) && named >= 400 && named < 600 ? named : httpStatus
  const message = textOf(body?.message) ?? textOf(body?.error) ?? plainText(text)
  const code = textOf(body?.code) ?? textOf(body?.error)
  return new StorageFailure(message ?? `the server answered ${httpStatus} without saying why`, {
    ...details,
    status,
    ...(code === undefined ? {} : { code }),
  })
}

/** TUS answers one line of text; a page of HTML tells nobody anything. */
function plainText(text: string): string | undefined {
  const line = text.trim()
  return line !== '' && line.length <= 200 && !line.includes('<') ? line : undefined
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 300) : undefined
}

const CODES: Record<string, ErrorCode> = {
  NoSuchKey: 'not-found',
  NoSuchBucket: 'not-found',
  KeyAlreadyExists: 'already-exists',
  ResourceAlreadyExists: 'already-exists',
  EntityTooLarge: 'too-large',
  InvalidMimeType: 'invalid-argument',
  InvalidKey: 'invalid-key',
  KeyTooLongError: 'invalid-key',
  InvalidBucketName: 'invalid-argument',
  InvalidJWT: 'unauthenticated',
  InvalidSignature: 'unauthenticated',
  LockTimeout: 'unavailable',
  ResourceLocked: 'conflict',
  DatabaseTimeout: 'unavailable',
  SlowDown: 'rate-limited',
}

/** Verifying a token fails with the code of a refusal by policy; only the sentence differs. */
const ABOUT_TOKEN = /\b(?:jws|jwt|jwk|jwe|token|signature verification|"?exp"? claim|"?nbf"? claim)\b/i
const ADVICE: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'the server does not accept the key or token; is it of this project and still valid?',
  'too-large': 'the bucket or the project takes no objects of this size',
  unavailable: 'the storage server failed for now; try again',
  'permission-denied': "the bucket's row policies do not allow it to this credential",
}

export function translateFailure(error: unknown): Translation | undefined {
  if (!(error instanceof StorageFailure)) return undefined
  const { status, requestId, retryAfterMs } = error
  const { code, bucket } = meaningOf(error)
  const advice = ADVICE[code]
  const said = bucket ? 'the bucket does not exist; create it first' : error.message
  return {
    code,
    message: advice === undefined ? said : `${advice} (${error.message})`,
    status,
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(bucket ? { resource: 'bucket' } : {}),
  }
}

function meaningOf({ code, status, message }: StorageFailure): { code: ErrorCode; bucket?: boolean } {
  const said = message.toLowerCase()
  const is = (meaning: ErrorCode) => ({ code: meaning })
  if (status === 304) return is('precondition-failed')
  if (
    code === 'NoSuchBucket' ||
    said === 'bucket not found' ||
    said.includes('related resource does not exist')
  )
    return { code: 'not-found', bucket: true }
  if (code === 'AccessDenied' || status === 401 || status === 403)
    return is(status === 401 || ABOUT_TOKEN.test(message) ? 'unauthenticated' : 'permission-denied')
  if (said.includes("'authorization'")) return is('unauthenticated')
  // An unknown role in the token is only noticed by the database.
  if (code === 'DatabaseError') return is(said.includes('22023') ? 'unauthenticated' : 'unavailable')
  // The row was there and the bytes were gone: another operation was faster.
  if (code === 'S3Error' && /key does not exist|nosuchkey/.test(said)) return is('not-found')
  if (code !== undefined && code in CODES) return is(CODES[code]!)
  if (status === 409) return is(said.includes('already exists') ? 'already-exists' : 'conflict')
  if (status === 415) return is('invalid-argument')
  if (status === 544) return is('unavailable')
  return is(codeOfStatus(status))
}
