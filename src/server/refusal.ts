import type { ErrorCode, StorageError } from '../core/errors.ts'

/** Statuses by code. What is not here is a failure of ours: 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'not-found': 404,
  'already-exists': 412,
  'precondition-failed': 412,
  conflict: 409,
  'invalid-key': 400,
  'invalid-argument': 400,
  'permission-denied': 403,
  'too-large': 413,
  'rate-limited': 503,
  timeout: 503,
  unavailable: 503,
  pending: 503,
  'checksum-mismatch': 400,
  aborted: 400,
  unsupported: 501,
}

const RETRY_AFTER_SECONDS = 1

/** An answer that is no file: a code for programs and a sentence for people, nothing of the store or the request. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(`${JSON.stringify({ error: { code, message } })}\n`, {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
  })
}

/** The answer to a request that failed in the store. */
export function refusalOf(error: StorageError): Response {
  const status = STATUS[error.code] ?? 500
  if (status >= 500 && error.code !== 'unsupported') {
    const wait = Math.ceil((error.retryAfterMs ?? RETRY_AFTER_SECONDS * 1000) / 1000)
    const headers: Record<string, string> =
      status === 503 && error.retryable ? { 'retry-after': String(wait) } : {}
    return refusal(status, error.code, 'the store could not do this now', headers)
  }
  if (error.code === 'not-found') return refusal(404, 'not-found', 'nothing is stored here')
  return refusal(status, error.code, error.message)
}

/** Whether the operator should hear of it: the client can't help it. */
export function isOurs(error: StorageError): boolean {
  return (STATUS[error.code] ?? 500) >= 500
}
