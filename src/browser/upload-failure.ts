import { type ErrorCode, type PlainError, plainError } from '../core/plain-error.ts'
import type { UploadAnswer } from './send-upload.ts'

/** The code for a status and the words after it; the first that fits. Stores say in words what their statuses do not. */
const CODES: readonly [RegExp, ErrorCode][] = [
  [/^(-1|408)/, 'timeout'],
  [/^429/, 'rate-limited'],
  [/^(0|5)/, 'unavailable'],
  [/^403|expired/i, 'permission-denied'],
  [/already.?exists|duplicate/i, 'already-exists'],
  [/^413|too.?large/i, 'too-large'],
  [/^401/, 'unauthenticated'],
  [/^404/, 'not-found'],
  [/^409/, 'conflict'],
  [/^412/, 'precondition-failed'],
  [/^/, 'invalid-argument'],
]

/**
 * The error of a try; `undefined` where it succeeded. Of the store's text nothing is repeated: it may hold what was
 * signed.
 *
 * @param unsure whether an earlier try may have stored the file
 * @param expired whether the URL has, by the device's clock
 */
export function uploadFailure(
  { status: sent, text, header }: UploadAnswer,
  unsure: boolean | undefined,
  now: number,
  expired: boolean,
): PlainError | undefined {
  // Supabase answers 400 and tells the real one inside.
  const status = Number(/"statusCode":\s*"(\d+)/.exec(text)?.[1] ?? sent)
  if (status >= 200 && status < 300) return undefined
  const [, code] = CODES.find(([sign]) => sign.test(`${status} ${text}`))!
  const what =
    status > 0
      ? `the store answered ${status}`
      : status < 0
        ? 'nothing moved'
        : 'no answer; does CORS allow this page?'
  const after = header('retry-after')
  return plainError('uploadDirect', expired ? `${what}, and the signed URL has expired` : what, code, {
    status: status > 0 ? status : undefined,
    retryAfterMs: after ? Number(after) * 1000 || Math.max(0, Date.parse(after) - now) : undefined,
    uncertain: unsure || status < 1 || status > 499 || undefined,
  })
}
