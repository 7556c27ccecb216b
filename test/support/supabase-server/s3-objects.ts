/** Objects through the S3 endpoint. Conditions on writes, and If-Match on reads, are not looked at. */
import { byteRange } from './byte-range.ts'
import { copy } from './copy-move-routes.ts'
import { header, sendBytes, sendHeaders } from './http-exchange.ts'
import { requireKey } from './object-keys.ts'
import { SERVICE } from './row-policies.ts'
import { type S3Call, sendXml } from './s3-call.ts'
import { failures, StorageFailure } from './storage-failure.ts'
import type { StoredObject } from './storage-state.ts'
import { requireMime, rulesOf } from './upload-body.ts'
import { blobFacts, commit, requireWritable, storeBlob } from './write-object.ts'

export function metaHeaders({ exchange }: S3Call): Record<string, string> {
  const meta: Record<string, string> = {}
  for (const [name, value] of Object.entries(exchange.headers))
    if (name.startsWith('x-amz-meta-')) meta[name.slice('x-amz-meta-'.length)] = String(value)
  return meta
}

export const mimeOf = ({ exchange }: S3Call) => header(exchange, 'content-type') ?? 'application/octet-stream'
export const cacheControlOf = ({ exchange }: S3Call) => header(exchange, 'cache-control') ?? 'no-cache'

export async function putObject(call: S3Call): Promise<void> {
  const { state, exchange, bucket, key } = call
  const home = state.buckets.get(bucket)
  if (!home) throw failures.noSuchBucket()
  requireKey(key)
  const rules = rulesOf(home, key, state.limits.standardBytes)
  requireMime(mimeOf(call), rules.allowedMimeTypes)
  const declared = header(exchange, 'x-amz-decoded-content-length') ?? header(exchange, 'content-length')
  if (Number(declared) > rules.maxBytes) throw failures.tooLarge()
  requireWritable(state, SERVICE, bucket, key, true)
  const bytes = await call.body()
  await storeBlob(state, bucket, key)
  const object = commit(state, {
    bucketId: bucket,
    name: key,
    owner: '',
    bytes,
    blob: blobFacts(state, { bytes, mimetype: mimeOf(call), cacheControl: cacheControlOf(call) }),
    userMetadata: metaHeaders(call),
  })
  sendBytes(exchange, 200, { etag: object.blob.eTag }, '')
}

function find({ state, bucket, key }: S3Call): StoredObject {
  if (!state.buckets.has(bucket)) throw failures.noSuchBucket()
  const object = state.find(bucket, key)
  if (!object) throw failures.noSuchKey()
  return object
}

function metadataHeaders(object: StoredObject): Record<string, string> {
  const entries = Object.entries(object.userMetadata ?? {})
  return Object.fromEntries(
    entries.map(([name, value]) => [
      `x-amz-meta-${name.toLowerCase()}`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

export function getObject(call: S3Call): void {
  const { state, exchange } = call
  const object = find(call)
  if (state.faults.storeDown) throw failures.internal()
  const { blob, bytes } = object
  if (header(exchange, 'if-none-match') === blob.eTag) {
    sendHeaders(exchange, 304, {})
    return
  }
  const range = exchange.method === 'GET' ? s3Range(call, bytes.length) : undefined
  sendBytes(
    exchange,
    range ? 206 : 200,
    {
      'cache-control': blob.cacheControl,
      'content-type': exchange.query.get('response-content-type') ?? blob.mimetype,
      etag: blob.eTag,
      'last-modified': new Date(blob.lastModified).toUTCString(),
      ...metadataHeaders(object),
      ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${bytes.length}` } : {}),
    },
    range ? bytes.subarray(range.start, range.end + 1) : bytes,
  )
}

function s3Range({ state, exchange }: S3Call, size: number) {
  try {
    return byteRange(header(exchange, 'range'), size, state.blobStore)
  } catch {
    throw new StorageFailure(416, 'InvalidRange', 'The requested range is not satisfiable', 'InvalidRange')
  }
}

export function deleteObject({ state, exchange, bucket, key }: S3Call): void {
  const object = state.find(bucket, key)
  if (object && state.faults.storeDown) throw failures.internal()
  if (object) state.remove(object)
  sendHeaders(exchange, 204, {})
}

export async function copyObject(call: S3Call): Promise<void> {
  const { state, exchange, bucket, key } = call
  const from = copySource(call)
  const replaces = header(exchange, 'x-amz-metadata-directive') === 'REPLACE'
  const wanted = header(exchange, 'x-amz-copy-source-if-match')
  const current = state.find(from.bucket, from.key)
  // The one condition that this endpoint keeps.
  if (wanted !== undefined && current !== undefined && unquoted(wanted) !== unquoted(current.blob.eTag)) {
    throw new StorageFailure(
      412,
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
      'PreconditionFailed',
    )
  }
  const object = await copy(state, SERVICE, {
    from,
    to: { bucket, key },
    upsert: true,
    ...(replaces
      ? {
          userMetadata: metaHeaders(call),
          file: { mimetype: mimeOf(call), cacheControl: cacheControlOf(call) },
        }
      : {}),
  })
  sendXml(exchange, 'CopyObjectResult', { ETag: object.blob.eTag, LastModified: object.blob.lastModified })
}

export function copySource({ exchange }: S3Call): { bucket: string; key: string } {
  // Taken as it is: the server does not decode it.
  const path = (header(exchange, 'x-amz-copy-source') ?? '').replace(/^\//, '')
  const slash = path.indexOf('/')
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) }
}

function unquoted(etag: string): string {
  return etag.replace(/^"|"$/g, '')
}
