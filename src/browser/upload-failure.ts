import { type ErrorCode, StorageError } from '../core/errors.ts'
import type { UploadAnswer } from './send-upload.ts'

const CODES: Record<number, ErrorCode> = {
  [-1]: 'timeout',
  0: 'unavailable',
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  408: 'timeout',
  409: 'conflict',
  412: 'precondition-failed',
  413: 'too-large',
  429: 'rate-limited',
}

/** What stores call in their own words, under statuses that say less. */
const WORDS: readonly [RegExp, ErrorCode][] = [
  [/expired/i, 'permission-denied'],
  [/already.?exists|duplicate/i, 'already-exists'],
  [/too.?large/i, 'too-large'],
]

/**
 * The error of a try; `undefined` where it succeeded. Of the store's text nothing is repeated: it may hold what was
 * signed.
 *
 * @param unsure whether an earlier try may have stored the file
 * @param expired whether the URL has, by the device's clock
 */
export function uploadFailure(
  answer: UploadAnswer,
  unsure: boolean,
  now: number,
  expired: boolean,
): StorageError | undefined {
  // Supabase answers 400 and tells the real one inside.
  const status = Number(/"statusCode":\s*"(\d{3})"/.exec(answer.text)?.[1] ?? answer.status)
  if (status >= 200 && status < 300) return undefined
  const [, code = CODES[status] ?? (status < 500 ? 'invalid-argument' : 'unavailable')] =
    (status < 500 && WORDS.find(([word]) => word.test(answer.text))) || []
  const what =
    status > 0
      ? `the store answered ${status}`
      : status < 0
        ? 'no byte moved any more'
        : 'no answer came: the connection broke, or the CORS rules of the store do not allow this page'
  const hint = expired ? "; by this device's clock the signed URL has expired" : ''
  const after = answer.header('retry-after')
  return new StorageError(code, `uploadDirect: ${what}${hint}`, {
    operation: 'uploadDirect',
    status: status > 0 ? status : undefined,
    retryable: status < 400 || status === 408 || status === 429 || status >= 500,
    retryAfterMs: after ? Number(after) * 1000 || Math.max(0, Date.parse(after) - now) : undefined,
    uncertain: unsure || status < 400 || status >= 500,
  })
}
