import type { Translation } from '../../core/driver.ts'
import { type ErrorCode, StorageError } from '../../core/errors.ts'
import { codeOfStatus, retryAfterMs } from '../../core/translate.ts'
import { S3_CODES } from './error-codes.ts'
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
  /** The answer's `Date`. */
  readonly date: string | undefined

  constructor(
    status: number,
    s3Code: string | undefined,
    message: string,
    requestId?: string,
    retryAfter?: string,
    date?: string,
  ) {
    super(message)
    this.status = status
    this.s3Code = s3Code
    this.requestId = requestId
    this.retryAfter = retryAfter
    this.date = date
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
  return new S3Failure(
    status,
    code,
    message ?? '',
    header('x-amz-request-id'),
    header('retry-after'),
    header('date'),
  )
}

/** Names what the server or the SDK has thrown. */
export function translate(error: unknown, now: number): Translation | undefined {
  const known = fromLean(error) ?? fromSdk(error)
  if (known === undefined) return undefined
  const { status, s3Code, message, requestId, retryAfter } = known
  const [code, advice, more] = (s3Code === undefined ? undefined : S3_CODES[s3Code]) ?? [codeByStatus(status)]
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

/** What a write with conditions failed for: S3 has one answer for a stale etag and for something being there. */
export function conditionFailure(
  error: unknown,
  { ifMatch, ifNoneMatch }: { readonly ifMatch: string | undefined; readonly ifNoneMatch: '*' | undefined },
): unknown {
  const known = fromLean(error) ?? fromSdk(error)
  if (known === undefined) return error
  const details = {
    status: known.status,
    ...(known.requestId === undefined ? {} : { requestId: known.requestId }),
  }
  if (ifNoneMatch !== undefined && known.status === 412)
    return new StorageError('already-exists', 'something is stored under this key', {
      ...details,
      cause: error,
    })
  if (ifMatch !== undefined && known.status === 404 && known.s3Code === 'NoSuchKey')
    return new StorageError('precondition-failed', 'the object is gone by now', { ...details, cause: error })
  return error
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

const NOWHERE = { status: 0, requestId: undefined, retryAfter: undefined }

/** The SDK's exceptions, by the fields that its `ServiceException` documents. */
function fromSdk(error: unknown): Seen | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, message } = error
  if (/^Region (?:is missing|not accepted)/.test(message))
    return { ...NOWHERE, s3Code: 'RegionMissing', message }
  if (name === 'CredentialsProviderError') return { ...NOWHERE, s3Code: name, message }
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number; requestId?: string }
    $response?: { headers?: Record<string, string> }
  }
  if ($metadata?.httpStatusCode === undefined) return undefined
  return {
    status: $metadata.httpStatusCode,
    s3Code: name in S3_CODES ? name : undefined,
    message,
    requestId: $metadata.requestId,
    retryAfter: $response?.headers?.['retry-after'],
  }
}
