import type { ReadAnswer, ReadRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { parseContentRange, rangeHeader, rangePastEnd, spanOf } from '../../core/range.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { type Bucket, infoOf } from './bucket.ts'
import { infoOfHeaders } from './object-info.ts'
import type { OpenAnswer } from './storage-api.ts'

/**
 * The attributes are asked for beside the bytes: the download's own headers hold no metadata. For a range they are
 * asked for first, because the server's S3 backend answers one that starts past the end with an error of its own.
 */
export async function readObject(bucket: Bucket, request: ReadRequest): Promise<ReadAnswer> {
  const { key, range, signal } = request
  const name = bucket.names.nameOf(key)
  if (range === undefined) {
    const asked = infoOf(bucket, key, name, signal)
    // What fails first is thrown; the other may fail unheard.
    asked.catch(() => {})
    const answer = await openObject(bucket, request, name)
    try {
      return { info: await infoOfAnswer(bucket, request, name, answer, await asked), source: answer }
    } catch (error) {
      answer.cancel()
      throw error
    }
  }
  const info = await infoOf(bucket, key, name, signal)
  assertConditions(info, request)
  const wanted = spanOf(range, info.size)
  if (wanted === undefined) throw rangePastEnd(key, info.size, 'supabase')
  if (wanted.length === 0) return { info, span: wanted, source: NOTHING }
  const answer = await openObject(bucket, request, name)
  try {
    const sent = parseContentRange(answer.headers.get('content-range') ?? undefined)
    if (answer.status !== 206 || sent === undefined)
      throw new StorageError('unavailable', 'the server did not keep to the range that was asked for')
    const { offset, length, size } = sent
    const current = await infoOfAnswer(bucket, request, name, answer, info, size)
    return { info: current, span: { offset, length }, source: answer }
  } catch (error) {
    answer.cancel()
    throw error
  }
}

function openObject(
  { api, names }: Bucket,
  { range, ifNoneMatch, signal }: ReadRequest,
  name: string,
): Promise<OpenAnswer> {
  return api.open({
    method: 'GET',
    path: `/object/authenticated/${names.pathOf(name)}`,
    headers: {
      ...(range === undefined ? {} : { range: rangeHeader(range) }),
      ...(ifNoneMatch === undefined ? {} : { 'if-none-match': `"${ifNoneMatch}"` }),
    },
    signal,
    readOnly: true,
  })
}

/** `asked` where it is of the bytes that come; where they were replaced in between, what the headers say. */
async function infoOfAnswer(
  bucket: Bucket,
  request: ReadRequest,
  name: string,
  { headers }: OpenAnswer,
  asked: ObjectInfo,
  wholeSize?: number,
): Promise<ObjectInfo> {
  // A proxy that sends in pieces drops the length.
  const size = wholeSize ?? Number(headers.get('content-length') ?? asked.size)
  const sent = infoOfHeaders(request.key, size, headers)
  assertConditions(sent, request)
  const isOf = (info: ObjectInfo) => info.etag === sent.etag && info.size === sent.size
  if (isOf(asked)) return asked
  const again = await infoOf(bucket, request.key, name, request.signal)
  return isOf(again) ? again : sent
}

/** The server knows `If-None-Match` only, and only for downloads. */
export function assertConditions(
  info: ObjectInfo,
  {
    ifMatch,
    ifNoneMatch,
  }: { readonly ifMatch?: string | undefined; readonly ifNoneMatch?: string | undefined },
): void {
  if (ifMatch !== undefined && info.etag !== ifMatch)
    throw new StorageError('precondition-failed', 'the object has another etag by now')
  if (ifNoneMatch !== undefined && info.etag === ifNoneMatch)
    throw new StorageError('precondition-failed', 'the object has not changed', { status: 304 })
}

const NOTHING = { async *chunks() {}, cancel() {} }
