import { EMPTY_SHA256 } from '../../core/checksum.ts'
import { eitherSignal } from '../../core/deadline.ts'
import type { ResumableRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { OwnSignals } from '../../core/own-signals.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { UploadedPart } from '../../core/resumable-upload.ts'
import type { S3Connection } from './connection.ts'
import { conditionFailure } from './errors.ts'
import { completeUpload, putPart } from './multipart.ts'
import { stripQuotes } from './object-headers.ts'
import type { S3Settings } from './options.ts'
import { MAX_PARTS } from './part-buffers.ts'
import { type PartsUpload, resumedUpload, spanOf, tokenOf } from './resumed-upload.ts'
import type { SdkCalls, StoredPart } from './sdk-calls.ts'
import { abortUntilEmpty } from './unfinished.ts'
import { putObject } from './write.ts'

/** The least that S3 takes for every part but the last. */
const LEAST_PART_BYTES = 5 * 2 ** 20
/** S3 takes no larger part. */
const MOST_PART_BYTES = 5 * 2 ** 30

/**
 * Stores the parts that are missing, several at a time, each signed with its SHA-256, and completes the upload. What
 * fits into one part is one PUT.
 */
export async function uploadResumable(
  connection: S3Connection,
  sdk: SdkCalls,
  settings: S3Settings,
  request: ResumableRequest,
): Promise<ObjectInfo> {
  const { source, begun } = request
  const resumed = await resumedUpload(connection, sdk, request)
  if (resumed !== undefined && 'info' in resumed) return resumed.info
  const partBytes = partBytesOf(settings, request)
  if (resumed === undefined && source.size <= partBytes) return putWhole(connection, settings, request)
  const upload = resumed ?? (await begin(sdk, request, partBytes))
  let noted = resumed !== undefined
  try {
    if (!noted) await begun?.(tokenOf(upload, request))
    noted = begun !== undefined
    await sendMissing(connection, settings, request, upload)
    const parts = upload.stored as StoredPart[]
    return await completeUpload(connection, sdk, request, upload, parts, source.size)
  } catch (thrown) {
    const error = conditionFailure(thrown, request)
    if (!noted || isRefusal(error)) await abortUntilEmpty(sdk, upload).catch(() => {})
    throw error
  }
}

/** Smaller parts than S3's least are for servers that take them, where the provider was made for such. */
function partBytesOf(settings: S3Settings, { partBytes, source }: ResumableRequest): number {
  const least = Math.min(LEAST_PART_BYTES, settings.partSizeBytes)
  const wish = Math.max(least, partBytes ?? settings.partSizeBytes, Math.ceil(source.size / MAX_PARTS))
  return Math.min(MOST_PART_BYTES, wish)
}

async function begin(sdk: SdkCalls, request: ResumableRequest, partBytes: number): Promise<PartsUpload> {
  const { key, attributes, source, signal } = request
  const { uploadId } = await sdk.createMultipart(key, attributes, undefined, signal)
  const stored = new Array<StoredPart | undefined>(Math.ceil(source.size / partBytes)).fill(undefined)
  return { key, uploadId, partBytes, stored }
}

async function sendMissing(
  connection: S3Connection,
  settings: S3Settings,
  request: ResumableRequest,
  upload: PartsUpload,
): Promise<void> {
  const { source, concurrency = settings.uploadConcurrency } = request
  // What others can go on with is worth the end of its way; what is removed anyhow is not.
  const stop = new AbortController()
  const signal = eitherSignal(request.signal, stop.signal)
  const puts = new OwnSignals(signal)
  const missing = [...upload.stored.keys()].filter(at => upload.stored[at] === undefined).values()
  const failures: unknown[] = []
  const worker = async () => {
    for (const at of missing) {
      if (signal.aborted || failures.length > 0) return
      const { start, end } = spanOf(upload, at, source.size)
      const { bytes, sha256, release } = await source.read(start, end, signal)
      const part = await puts.during(own =>
        putPart(connection, request.key, upload, at + 1, bytes, { payloadHash: sha256, signal: own }),
      )
      release()
      upload.stored[at] = part
      await request.stored({ start, end, sha256, etag: stripQuotes(part.ETag)! } satisfies UploadedPart)
    }
  }
  const workers = Array.from({ length: Math.min(concurrency, upload.stored.length) }, () =>
    worker().catch(error => {
      failures.push(error)
      if (request.begun === undefined) stop.abort(error)
    }),
  )
  await Promise.all(workers)
  request.signal?.throwIfAborted()
  if (failures.length > 0) throw failures[0]
}

async function putWhole(
  connection: S3Connection,
  settings: S3Settings,
  request: ResumableRequest,
): Promise<ObjectInfo> {
  const { source, signal } = request
  const { size } = source
  const whole = size === 0 ? undefined : await source.read(0, size, signal)
  const { bytes = new Uint8Array(0), sha256 = EMPTY_SHA256 } = whole ?? {}
  const put = { ...request, body: undefined, checksum: undefined }
  try {
    const info = await putObject(connection, settings, put, bytes, sha256)
    if (size > 0) await request.stored({ start: 0, end: size, sha256 })
    return info
  } catch (error) {
    throw conditionFailure(error, request)
  }
}

/** What no later call can heal. */
function isRefusal(error: unknown): boolean {
  if (error instanceof StorageError)
    return error.code === 'already-exists' || error.code === 'precondition-failed'
  return (error as { $metadata?: { httpStatusCode?: number } })?.$metadata?.httpStatusCode === 412
}
