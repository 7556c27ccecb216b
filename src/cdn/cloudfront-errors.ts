import { type ErrorCode, StorageError } from '../core/errors.ts'
import { codeOfStatus, retryAfterMs } from '../core/translate.ts'

type Row = readonly [code: ErrorCode, advice?: string, more?: { retryable?: boolean; retryAfterMs?: number }]

/**
 * CloudFront's error codes in our terms.
 * https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html#API_CreateInvalidation_Errors
 */
const CODES: Readonly<Record<string, Row>> = {
  // Places become free when an invalidation completes, which takes minutes: asking at once again is in vain.
  TooManyInvalidationsInProgress: ['rate-limited', 'too many are in progress', { retryAfterMs: 30_000 }],
  BatchTooLarge: ['too-large', 'the batch is larger than CloudFront takes'],
  InvalidArgument: ['invalid-argument'],
  MissingBody: ['invalid-argument'],
  InconsistentQuantities: ['invalid-argument'],
  // The reference is made of the paths: this can't be a repetition of ours.
  InvalidationBatchAlreadyExists: ['conflict', 'the reference has other paths', { retryable: false }],
  NoSuchDistribution: ['not-found', 'the distribution does not exist; is distributionId right?'],
  AccessDenied: ['permission-denied', 'the credential needs cloudfront:CreateInvalidation'],
  AccessDeniedException: ['permission-denied', 'the credential needs cloudfront:CreateInvalidation'],
  InvalidClientTokenId: ['unauthenticated', 'the access key does not exist'],
  UnrecognizedClientException: ['unauthenticated', 'the access key does not exist'],
  SignatureDoesNotMatch: ['unauthenticated', 'the secret does not belong to the access key'],
  ExpiredToken: ['unauthenticated', 'the temporary credential has expired'],
  ExpiredTokenException: ['unauthenticated', 'the temporary credential has expired'],
  CredentialsProviderError: ['unauthenticated', 'no AWS credentials were found'],
  Throttling: ['rate-limited'],
  ThrottlingException: ['rate-limited'],
  TooManyRequestsException: ['rate-limited'],
  RequestLimitExceeded: ['rate-limited'],
  TimeoutError: ['timeout'],
  RequestTimeout: ['timeout'],
  ServiceUnavailable: ['unavailable'],
  InternalError: ['unavailable'],
  InternalFailure: ['unavailable'],
}

/** What the SDK threw, in our terms; undefined where it says no more than the network does. `now` is for Retry-After. */
export function cloudfrontError(thrown: unknown, now: number): StorageError | undefined {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
    name?: unknown
    message?: unknown
    code?: unknown
    $metadata?: { httpStatusCode?: number; requestId?: string }
    $response?: { headers?: Record<string, string> }
  }
  const name = typeof error.name === 'string' ? error.name : ''
  const status = error.$metadata?.httpStatusCode
  // The SDK also calls a broken connection a TimeoutError; the system's code beside it says what it was.
  if (name === 'TimeoutError' && error.code !== undefined) return undefined
  const row = Object.hasOwn(CODES, name) ? CODES[name] : undefined
  if (row === undefined && status === undefined) return undefined
  const [code, advice, more = {}] = row ?? [codeOfStatus(status!)]
  const { requestId } = error.$metadata ?? {}
  const asked = retryAfterMs(error.$response?.headers?.['retry-after'], now)
  // AWS repeats the signed request, with a session's token, to someone whom it does not know: that stays here.
  const said =
    code === 'unauthenticated' || typeof error.message !== 'string' ? '' : error.message.slice(0, 300)
  const reason = [advice, said].filter(Boolean).join('; ')
  const named = `invalidate: cloudfront answered ${name || status}${reason === '' ? '' : `: ${reason}`}`
  return new StorageError(code, named, {
    operation: 'invalidate',
    provider: 'cloudfront',
    ...(status === undefined ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId }),
    ...more,
    ...(asked === undefined ? {} : { retryAfterMs: asked }),
  })
}
