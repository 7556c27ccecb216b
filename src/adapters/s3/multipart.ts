import { setTimeout as wait } from 'node:timers/promises'
import { type ChecksumRequest, digest, isComputed } from '../../core/checksum.ts'
import type { Attributes, WriteRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { OwnSignals } from '../../core/own-signals.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import { checksumHeader, one, stripQuotes } from './object-headers.ts'
import type { S3Settings } from './options.ts'
import { type PartBuffer, partBuffers, partSizes } from './part-buffers.ts'
import { headObject } from './read.ts'
import type { SdkCalls, StoredPart, UploadId } from './sdk-calls.ts'
import { abortUntilEmpty } from './unfinished.ts'
import { putObject } from './write.ts'

/** Attempts for one part: its bytes are still here, which they are not for who repeats the whole stream. */
const PART_ATTEMPTS = 3
const PART_RETRY_MS = 100

/**
 * Stores a stream in parts, or with one PUT where it ends within the first. Never as one PUT that is sent while the
 * stream is read: versitygw keeps what has arrived of one that breaks off.
 */
export async function uploadStream(
  connection: S3Connection,
  sdk: SdkCalls,
  settings: S3Settings,
  request: WriteRequest,
): Promise<ObjectInfo> {
  const { body, signal } = request
  const parts = partBuffers(body.chunks(), partSizes(settings, body.size), settings.uploadConcurrency + 1)
  try {
    const first = await parts.next()
    if (first === undefined || first.last)
      return await putObject(connection, settings, request, first?.bytes ?? new Uint8Array(0))
    const algorithm = request.checksum?.algorithm
    const declared = algorithm === undefined || algorithm === 'md5' ? undefined : SDK_ALGORITHMS[algorithm]
    const { key, attributes } = request
    return await withMultipart(sdk, { key, attributes, algorithm: declared, signal }, (upload, ended) =>
      uploadParts(connection, sdk, { ...request, signal: ended }, upload, first, parts),
    )
  } finally {
    await parts.close()
  }
}

const SDK_ALGORITHMS = { sha256: 'SHA256', sha1: 'SHA1', crc32: 'CRC32' } as const

/**
 * Runs `work` between the begin of a multipart upload and its end: completed by `work`, or aborted until the server
 * lists no part of it. `ended` is the caller's signal, and ends when a part has failed.
 */
export async function withMultipart<Result>(
  sdk: SdkCalls,
  begin: {
    readonly key: string
    readonly attributes: Attributes
    readonly algorithm: Parameters<SdkCalls['createMultipart']>[2]
    readonly signal: AbortSignal | undefined
  },
  work: (upload: UploadId, signal: AbortSignal | undefined) => Promise<Result>,
): Promise<Result> {
  const upload = await sdk.createMultipart(begin.key, begin.attributes, begin.algorithm, begin.signal)
  try {
    return await work(upload, begin.signal)
  } catch (error) {
    // What the caller has to know is why the upload failed. A lifecycle rule gets what stays behind.
    await abortUntilEmpty(sdk, upload).catch(() => {})
    throw error
  }
}

async function uploadParts(
  connection: S3Connection,
  sdk: SdkCalls,
  request: WriteRequest,
  upload: UploadId,
  first: PartBuffer,
  rest: ReturnType<typeof partBuffers>,
): Promise<ObjectInfo> {
  const stop = new AbortController()
  const puts = new OwnSignals(stop.signal)
  const onAbort = () => stop.abort(request.signal!.reason)
  request.signal?.addEventListener('abort', onAbort, { once: true })
  const stored: StoredPart[] = []
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let size = 0
  try {
    for (let part: PartBuffer | undefined = first; part !== undefined; part = await rest.next()) {
      const { number, bytes, release }: PartBuffer = part
      size += bytes.length
      const { headers, named } = partChecksum(request.checksum, bytes)
      const task = puts
        .during(signal => putPart(connection, request.key, upload, number, bytes, { headers, signal }))
        .then(done => {
          stored[number - 1] = { ...done, ...named }
          release()
        })
        .catch(error => {
          failures.push(error)
          stop.abort(error)
        })
        .finally(() => underWay.delete(task))
      underWay.add(task)
      while (rest.full && failures.length === 0) await Promise.race(underWay)
      if (failures.length > 0) throw failures[0]
    }
    await Promise.all(underWay)
    if (failures.length > 0) throw failures[0]
    return await completeUpload(connection, sdk, request, upload, stored, size)
  } catch (error) {
    stop.abort(error)
    await Promise.all(underWay)
    throw failures[0] ?? error
  } finally {
    request.signal?.removeEventListener('abort', onAbort)
  }
}

/** The header that lets the server check a part, and what its completion says of it. */
function partChecksum(
  checksum: ChecksumRequest | undefined,
  bytes: Uint8Array,
): { headers: Record<string, string>; named: Partial<StoredPart> } {
  if (checksum === undefined || !isComputed(checksum.algorithm)) return { headers: {}, named: {} }
  const sum = digest(checksum.algorithm, bytes)
  const headers = checksumHeader(checksum.algorithm, sum)
  if (checksum.algorithm === 'md5') return { headers, named: {} }
  const value = Buffer.from(sum, 'hex').toString('base64')
  return { headers, named: { [`Checksum${SDK_ALGORITHMS[checksum.algorithm]}`]: value } }
}

/** Stores one part, with several tries: it has its bytes at hand. */
export async function putPart(
  connection: S3Connection,
  key: string,
  { uploadId }: UploadId,
  number: number,
  bytes: Uint8Array,
  sending: { headers?: Record<string, string>; payloadHash?: string; signal: AbortSignal },
): Promise<StoredPart> {
  const { signal, payloadHash } = sending
  const headers = { ...sending.headers, 'content-length': String(bytes.length) }
  const signed = payloadHash === undefined ? {} : { payloadHash }
  const query = { partNumber: String(number), uploadId }
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await connection.send({
        method: 'PUT',
        key,
        query,
        headers,
        body: bytes,
        ...signed,
        signal,
      })
      await answer.body.bytes()
      const etag = one(answer.headers, 'etag')
      if (etag === undefined)
        throw new StorageError('unavailable', 'the server stored a part without an etag')
      return { PartNumber: number, ETag: etag }
    } catch (error) {
      if (attempt === PART_ATTEMPTS || signal.aborted || !mayPass(error)) throw error
      await wait(PART_RETRY_MS * 4 ** (attempt - 1), undefined, { signal }).catch(() => {
        throw error
      })
    }
  }
}

/** Broken connections and a server's own failures; a part that is sent again replaces itself. */
function mayPass(error: unknown): boolean {
  if (error instanceof S3Failure)
    return error.status >= 500 || error.status === 429 || error.s3Code === 'RequestTimeout'
  return !(error instanceof StorageError)
}

type Completion = Pick<WriteRequest, 'key' | 'attributes' | 'ifMatch' | 'ifNoneMatch' | 'signal'>

/** Makes the object of its parts. An answer that was lost is no failure where the object can be told to be there. */
export async function completeUpload(
  connection: S3Connection,
  sdk: SdkCalls,
  request: Completion,
  upload: UploadId,
  parts: readonly StoredPart[],
  size: number,
): Promise<ObjectInfo> {
  const { key, attributes, signal } = request
  const { ETag, VersionId } = await sdk
    .completeMultipart(upload, parts, request, signal)
    .catch(async error => {
      const found = await completedAfterAll(connection, request, parts, error)
      if (found === undefined) throw error
      return found
    })
  const { storageClass: _, ...shown } = attributes
  return {
    ...shown,
    key,
    size,
    metadata: { ...attributes.metadata },
    ...(ETag === undefined ? {} : { etag: stripQuotes(ETag)! }),
    ...(VersionId === undefined || VersionId === 'null' ? {} : { versionId: VersionId }),
  }
}

/**
 * Whether an upload whose completion failed was completed all the same: an answer can get lost, and a repeated
 * completion is refused by some servers. The ETag of a multipart upload tells, where it is made of MD5s.
 */
async function completedAfterAll(
  connection: S3Connection,
  { key, signal }: Completion,
  parts: readonly StoredPart[],
  error: unknown,
): Promise<{ ETag: string | undefined; VersionId: string | undefined } | undefined> {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number; attempts?: number } }
  const status = $metadata?.httpStatusCode
  const refused = status !== undefined && status >= 400 && status < 500
  if (signal?.aborted || (refused && ($metadata?.attempts ?? 1) === 1)) return undefined
  const expected = multipartEtag(parts.map(({ ETag }) => ETag))
  if (expected === undefined) return undefined
  const head = { key, ifMatch: undefined, ifNoneMatch: undefined, signal }
  const found = await headObject(connection, head).catch(() => undefined)
  return found?.etag === expected ? { ETag: found.etag, VersionId: found.versionId } : undefined
}

/** The ETag of the object that is made of parts with these, where each is an MD5. */
export function multipartEtag(etags: readonly (string | undefined)[]): string | undefined {
  const md5s = etags.map(etag => /^"?([0-9a-f]{32})"?$/.exec(etag ?? '')?.[1])
  if (md5s.includes(undefined)) return undefined
  return `${digest('md5', Buffer.from(md5s.join(''), 'hex'))}-${md5s.length}`
}
