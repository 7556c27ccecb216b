import type { Translation } from '../../core/driver.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { codeOfStatus, retryAfterMs } from '../../core/translate.ts'
import type { HttpAnswer } from './transport.ts'
import { childText, parseXml } from './xml.ts'

/** What a server answered instead of what was asked. */
export class S3Failure extends Error {
  override readonly name = 'S3Failure'
  readonly status: number
  /** The `Code` of the answer; undefined where it had none, as for HEAD. */
  readonly s3Code: string | undefined
  readonly requestId: string | undefined
  readonly retryAfter: string | undefined

  constructor(
    status: number,
    s3Code: string | undefined,
    message: string,
    requestId?: string,
    retryAfter?: string,
  ) {
    super(message)
    this.status = status
    this.s3Code = s3Code
    this.requestId = requestId
    this.retryAfter = retryAfter
  }
}

/** An error's document is small; nobody knows what else a proxy may send. */
const MAX_ERROR_BYTES = 64 * 1024

export async function failureOf(answer: HttpAnswer): Promise<S3Failure> {
  let text = ''
  try {
    for await (const chunk of answer.body.chunks()) {
      text += Buffer.from(chunk).toString('utf8')
      if (text.length > MAX_ERROR_BYTES) break
    }
  } catch {
    // The status has been received and says enough.
  }
  return failureFromText(answer, text)
}

export function failureFromText(
  { status, headers }: Pick<HttpAnswer, 'status' | 'headers'>,
  text: string,
): S3Failure {
  const header = (name: string) => {
    const value = headers[name]
    return Array.isArray(value) ? value[0] : value
  }
  let code: string | undefined
  let message: string | undefined
  try {
    const root = parseXml(text)
    const error =
      root.name === 'ErrorResponse' ? (root.children.find(child => child.name === 'Error') ?? root) : root
    code = childText(error, 'Code')
    message = childText(error, 'Message')
  } catch {
    if (text !== '') message = 'the answer is not one of S3; is the endpoint right?'
  }
  if (status === 301 || status === 307) {
    const region = header('x-amz-bucket-region')
    message = `the bucket is in another region${region === undefined ? '' : `: set region to '${region}'`}`
  }
  return new S3Failure(status, code, message ?? '', header('x-amz-request-id'), header('retry-after'))
}

type Row = readonly [code: ErrorCode, advice?: string, more?: Pick<Translation, 'resource' | 'retryable'>]

/** S3's error codes in our terms. Sources: AWS's API reference, MinIO, versitygw and Supabase, as measured. */
const CODES: Record<string, Row> = {
  NoSuchKey: ['not-found', 'nothing is stored under this key'],
  NoSuchVersion: ['not-found', 'this version does not exist'],
  NoSuchBucket: ['not-found', 'the bucket does not exist', { resource: 'bucket' }],
  NoSuchUpload: ['conflict', 'the multipart upload was ended by somebody else', { retryable: false }],
  PreconditionFailed: ['precondition-failed', 'the object has another etag by now, or is gone'],
  ConditionalRequestConflict: ['conflict', 'another write of the same key is under way'],
  OperationAborted: ['conflict', 'another operation on the same key is under way'],
  ObjectAlreadyInActiveTierError: ['conflict'],
  InvalidObjectState: [
    'conflict',
    'the object is archived and has to be restored first',
    { retryable: false },
  ],
  ObjectParentIsFile: [
    'conflict',
    'a part of the key before a slash is an object itself on this server',
    { retryable: false },
  ],
  ExistingObjectIsDirectory: [
    'conflict',
    'objects exist below this key, which this server does not take',
    { retryable: false },
  ],
  XMinioObjectExistsAsDirectory: [
    'conflict',
    'objects exist below this key, which this server does not take',
    { retryable: false },
  ],
  XMinioParentIsObject: [
    'conflict',
    'a part of the key before a slash is an object itself on this server',
    { retryable: false },
  ],
  DirectoryObjectContainsData: [
    'invalid-key',
    'this server takes no bytes under a key that ends with a slash',
  ],
  KeyTooLong: ['invalid-key', 'the key, or a part of it between slashes, is too long for this server'],
  KeyTooLongError: ['invalid-key', 'the key, or a part of it between slashes, is too long for this server'],
  XMinioInvalidObjectName: ['invalid-key', 'this server does not take the key'],
  XMinioInvalidResourceName: ['invalid-key', 'this server does not take the key'],
  InvalidKey: ['invalid-key', 'this server does not take the key'],
  InvalidURI: ['invalid-key', 'this server does not take the key'],
  InvalidRange: ['invalid-argument', 'the range starts past the end of the object'],
  InvalidStorageClass: ['invalid-argument', 'this server does not have the storage class'],
  InvalidBucketName: ['invalid-argument', 'this is no name of a bucket'],
  MetadataTooLarge: ['invalid-argument', 'the metadata is larger than the server takes'],
  EntityTooLarge: ['too-large', 'the object is larger than the server takes'],
  EntityTooSmall: ['invalid-argument', 'a part is smaller than the server takes; raise partSizeBytes'],
  MissingContentLength: ['invalid-argument', 'the server needs the length of the body'],
  BadDigest: ['checksum-mismatch', 'the bytes that arrived do not have the checksum; nothing was stored'],
  InvalidDigest: ['checksum-mismatch', 'the checksum is none; nothing was stored'],
  XAmzContentChecksumMismatch: [
    'checksum-mismatch',
    'the bytes that arrived do not have the checksum; nothing was stored',
  ],
  XAmzContentSHA256Mismatch: [
    'checksum-mismatch',
    'the bytes that arrived are not those that were signed; nothing was stored',
  ],
  AccessDenied: ['permission-denied', 'the credentials do not allow it'],
  AllAccessDisabled: ['permission-denied'],
  AccountProblem: ['permission-denied'],
  InvalidAccessKeyId: ['unauthenticated', 'the server does not know the access key'],
  XAdminUserNotFound: ['unauthenticated', 'the server does not know the access key'],
  SignatureDoesNotMatch: [
    'unauthenticated',
    'the secret key is wrong, or something between here and the server changes requests',
  ],
  AuthorizationHeaderMalformed: ['unauthenticated', 'the region or the credentials are wrong'],
  AuthorizationQueryParametersError: ['unauthenticated'],
  InvalidToken: ['unauthenticated', 'the session token is wrong'],
  InvalidTokenId: ['unauthenticated', 'the session token is wrong'],
  ExpiredToken: ['unauthenticated', 'the session has expired; get new credentials'],
  TokenRefreshRequired: ['unauthenticated', 'the session has expired; get new credentials'],
  CredentialsProviderError: [
    'unauthenticated',
    'no credentials were found; give them, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  ],
  RequestTimeTooSkewed: [
    'unauthenticated',
    "this machine's clock differs too much from the server's; it was noted, try again",
    { retryable: true },
  ],
  PermanentRedirect: ['invalid-argument'],
  TemporaryRedirect: ['invalid-argument'],
  IllegalLocationConstraintException: ['invalid-argument', 'the bucket is in another region'],
  SlowDown: ['rate-limited', 'the server asks to slow down'],
  SlowDownRead: ['rate-limited', 'the server asks to slow down'],
  SlowDownWrite: ['rate-limited', 'the server asks to slow down'],
  TooManyRequests: ['rate-limited', 'the server asks to slow down'],
  RequestLimitExceeded: ['rate-limited', 'the server asks to slow down'],
  Throttling: ['rate-limited', 'the server asks to slow down'],
  RequestTimeout: ['timeout', 'the server waited too long for the body'],
  InternalError: ['unavailable', 'the server failed; try again'],
  ServiceUnavailable: ['unavailable', 'the server is not available; try again'],
  XMinioServerNotInitialized: ['unavailable', 'the server is still starting'],
  XMinioStorageFull: ['unavailable', "the server's disks are full; nothing was stored", { retryable: false }],
  QuotaExceeded: ['unavailable', 'the quota is used up; nothing was stored', { retryable: false }],
  XMinioAdminBucketQuotaExceeded: [
    'unavailable',
    'the quota of the bucket is used up; nothing was stored',
    { retryable: false },
  ],
  NotImplemented: ['unsupported', 'the server does not have this'],
  MethodNotAllowed: ['unsupported', 'the server does not have this'],
}

/** Names what the server or the SDK has thrown. */
export function translate(error: unknown, now: number): Translation | undefined {
  const known = fromLean(error) ?? fromSdk(error)
  if (known === undefined) return undefined
  const { status, s3Code, message, requestId, retryAfter } = known
  const [code, advice, more] = (s3Code === undefined ? undefined : CODES[s3Code]) ?? [codeByStatus(status)]
  const said = advice ?? (message === '' ? `the server answered ${status}` : message)
  const waitMs = retryAfterMs(retryAfter, now)
  return {
    code,
    message: s3Code === undefined ? said : `${said} (${s3Code})`,
    ...(status === 0 ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...more,
  }
}

function codeByStatus(status: number): ErrorCode {
  if (status === 304) return 'precondition-failed'
  if (status >= 300 && status < 400) return 'invalid-argument'
  return codeOfStatus(status)
}

type Seen = Pick<S3Failure, 'status' | 's3Code' | 'message' | 'requestId' | 'retryAfter'>

function fromLean(error: unknown): Seen | undefined {
  return error instanceof S3Failure ? error : undefined
}

/** The SDK's exceptions, by the fields that its `ServiceException` documents. */
function fromSdk(error: unknown): Seen | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, message } = error
  if (name === 'CredentialsProviderError')
    return { status: 0, s3Code: name, message, requestId: undefined, retryAfter: undefined }
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number; requestId?: string }
    $response?: { headers?: Record<string, string> }
  }
  if ($metadata?.httpStatusCode === undefined) return undefined
  return {
    status: $metadata.httpStatusCode,
    s3Code: name in CODES ? name : undefined,
    message,
    requestId: $metadata.requestId,
    retryAfter: $response?.headers?.['retry-after'],
  }
}
