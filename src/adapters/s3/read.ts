import type { HeadRequest, ReadAnswer, ReadRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { parseContentRange, rangeHeader, spanOf } from '../../core/range.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import { infoOf, one } from './object-headers.ts'
import { ResumedBody } from './resumed-body.ts'
import type { HttpAnswer } from './transport.ts'

export async function readObject(connection: S3Connection, request: ReadRequest): Promise<ReadAnswer> {
  const { key, range, into, signal } = request
  const headers = conditionHeaders(request)
  if (range !== undefined) headers.range = rangeHeader(range)
  const {
    status,
    headers: answered,
    body,
  } = await connection.send({ method: 'GET', key, headers, into, signal })
  try {
    assertIsS3(answered)
    const length = contentLength(answered)
    const source = (offset: number, length: number) =>
      body.pausable
        ? body
        : new ResumedBody(connection, { key, offset, length, etag: one(answered, 'etag'), signal }, body)
    if (range === undefined) {
      const info = infoOf(key, answered, length)
      assertConditions(request, info)
      return { info, source: source(0, length) }
    }
    // The last bytes of an empty object: MinIO says 'bytes 0--1/0', versitygw 200, AWS 416.
    if (range.kind === 'suffix' && length === 0 && status < 300) {
      const info = infoOf(key, answered, 0)
      assertConditions(request, info)
      return { info, span: { offset: 0, length: 0 }, source: body }
    }
    const part = parseContentRange(one(answered, 'content-range'))
    const asked = part === undefined ? undefined : spanOf(range, part.size)
    if (status !== 206 || part === undefined || part.offset !== asked?.offset || part.length !== asked.length)
      throw notS3('the server was asked for a range and sent something else')
    const info = infoOf(key, answered, part.size)
    assertConditions(request, info)
    return {
      info,
      span: { offset: part.offset, length: part.length },
      source: source(part.offset, part.length),
    }
  } catch (error) {
    body.cancel()
    throw error
  }
}

export async function headObject(connection: S3Connection, request: HeadRequest): Promise<ObjectInfo> {
  const { key, signal } = request
  const headers = { ...conditionHeaders(request), 'x-amz-checksum-mode': 'ENABLED' }
  try {
    const answer = await connection.send({ method: 'HEAD', key, headers, signal })
    assertIsS3(answer.headers)
    const info = infoOf(key, answer.headers, contentLength(answer.headers))
    assertConditions(request, info)
    return info
  } catch (error) {
    throw error instanceof S3Failure ? await explain(connection, request, error) : error
  }
}

/**
 * HEAD has no body, so its failure does not tell a missing bucket from a missing object, nor a wrong key from a
 * denied one. The same question as a GET of one byte does; it needs no other permission.
 */
async function explain(
  connection: S3Connection,
  { key, signal }: HeadRequest,
  failure: S3Failure,
): Promise<unknown> {
  if (failure.s3Code !== undefined || ![400, 403, 404].includes(failure.status)) return failure
  let told: unknown
  try {
    const { body } = await connection.send({ method: 'GET', key, headers: { range: 'bytes=0-0' }, signal })
    body.cancel()
    return failure
  } catch (error) {
    told = error
  }
  if (!(told instanceof S3Failure) || told.status !== failure.status || told.s3Code === undefined)
    return failure
  if (told.s3Code === 'NoSuchKey' && !connection.bucketSeen)
    return (await bucketFailure(connection, signal)) ?? told
  return told
}

/** Supabase says NoSuchKey for a missing bucket, too: asked once, while the bucket has not answered anything yet. */
async function bucketFailure(
  connection: S3Connection,
  signal: AbortSignal | undefined,
): Promise<S3Failure | undefined> {
  try {
    await connection.send({ method: 'HEAD', signal })
    return undefined
  } catch (error) {
    if (!(error instanceof S3Failure) || error.status !== 404) return undefined
    return new S3Failure(404, 'NoSuchBucket', '', error.requestId)
  }
}

function conditionHeaders({ ifMatch, ifNoneMatch }: HeadRequest): Record<string, string> {
  const headers: Record<string, string> = {}
  if (ifMatch !== undefined) headers['if-match'] = `"${ifMatch}"`
  if (ifNoneMatch !== undefined) headers['if-none-match'] = `"${ifNoneMatch}"`
  return headers
}

/** Some servers ignore conditions of reads; the etag of the answer is compared here, too. */
function assertConditions({ ifMatch, ifNoneMatch }: HeadRequest, { etag }: ObjectInfo): void {
  if (ifMatch !== undefined && etag !== ifMatch)
    throw new StorageError('precondition-failed', 'the object has another etag by now', { status: 412 })
  if (ifNoneMatch !== undefined && etag === ifNoneMatch)
    throw new StorageError('precondition-failed', 'the object has not changed', { status: 304 })
}

/** S3 sends both with every object: an answer without either is a proxy's page. */
export function assertIsS3(headers: HttpAnswer['headers']): void {
  if (headers.etag === undefined && headers['last-modified'] === undefined)
    throw notS3('the answer is not one of S3; is the endpoint right?')
}

function contentLength(headers: HttpAnswer['headers']): number {
  const length = Number(one(headers, 'content-length') ?? 'none')
  if (!Number.isSafeInteger(length)) throw notS3('the server did not say how long the object is')
  return length
}

export function notS3(message: string): StorageError {
  return new StorageError('unavailable', message, { retryable: false })
}
