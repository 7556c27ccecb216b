/** Creation of a resumable upload, what is appended to it, and the object it becomes. */
import { randomUUID } from 'node:crypto'
import { plainEtag } from './etag.ts'
import { type Exchange, header, readBytes, sendHeaders } from './http-exchange.ts'
import { requireBucketName, requireKey } from './object-keys.ts'
import { SERVICE } from './row-policies.ts'
import { failures } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'
import { type Access, authorize, expiry, maxBytes, pending, TUS_HEADERS, TusRefusal } from './tus-protocol.ts'
import { metadataValue, parseTusMetadata, type TusUpload, tusEtag } from './tus-upload.ts'
import { requireMime } from './upload-body.ts'
import { blobFacts, commit, requireWritable, storeBlob } from './write-object.ts'

export async function create(state: StorageState, exchange: Exchange, access: Access): Promise<void> {
  const given = header(exchange, 'upload-length')
  const deferred = header(exchange, 'upload-defer-length')
  if ((given === undefined) === (deferred === undefined))
    throw new TusRefusal(400, 'Upload-Length or Upload-Defer-Length header required\n')
  const raw = header(exchange, 'upload-metadata')
  if (raw === undefined) throw new TusRefusal(400, 'Metadata header is required')
  const metadata = parseTusMetadata(raw)
  const bucket = metadataValue({ metadata }, 'bucketName') ?? ''
  const key = metadataValue({ metadata }, 'objectName') ?? ''
  requireBucketName(bucket)
  requireKey(key)
  const length = given === undefined ? undefined : Number(given)
  if (length !== undefined && length > maxBytes(state, bucket))
    throw new TusRefusal(413, 'Maximum size exceeded\n')
  maxBytes(state, bucket)
  authorize(state, exchange, { bucket, key }, access)
  requireMime(metadataValue({ metadata }, 'contentType') ?? '', typed(state, bucket, metadata))
  const version = randomUUID()
  const id = Buffer.from(`${bucket}/${key}/${version}`).toString('base64url')
  const upload: TusUpload = {
    id,
    bucket,
    key,
    version,
    length,
    metadata: withCacheControl(metadata),
    createdAt: state.now(),
    chunks: [],
    offset: 0,
  }
  state.tusUploads.set(id, upload)
  const location = `${exchange.origin}/upload/resumable/${access.signed ? 'sign/' : ''}${id}`
  const withBytes = header(exchange, 'content-type') === 'application/offset+octet-stream'
  if (withBytes) await write(state, exchange, upload)
  const done = await finish(state, upload, access)
  sendHeaders(exchange, 201, {
    ...TUS_HEADERS,
    'content-type': 'text/plain;charset=UTF-8',
    location,
    ...(withBytes ? { 'upload-offset': String(upload.offset) } : {}),
    ...(done ? { 'tus-complete': '1' } : { 'upload-expires': expiry(upload) }),
  })
}

/** An upload that names no content type is not held to the bucket's list. */
function typed(state: StorageState, bucket: string, metadata: TusUpload['metadata']): string[] | null {
  return metadataValue({ metadata }, 'contentType')
    ? (state.buckets.get(bucket)?.allowedMimeTypes ?? null)
    : null
}

function withCacheControl(metadata: TusUpload['metadata']): TusUpload['metadata'] {
  const given = metadataValue({ metadata }, 'cacheControl') ?? ''
  const value = /^-?\d+$/.test(given) ? `max-age=${given}` : 'no-cache'
  if (!metadata.some(([key]) => key === 'cacheControl')) return [...metadata, ['cacheControl', value]]
  return metadata.map(([key, old]) => [key, key === 'cacheControl' ? value : old])
}

export async function append(
  state: StorageState,
  exchange: Exchange,
  id: string,
  access: Access,
): Promise<void> {
  const upload = pending(state, id)
  const offset = header(exchange, 'upload-offset')
  if (offset === undefined) throw new TusRefusal(403, 'Upload-Offset header required\n')
  if (header(exchange, 'content-type') !== 'application/offset+octet-stream')
    throw new TusRefusal(403, 'Content-Type header required\n')
  authorize(state, exchange, upload, access)
  if (upload.offset !== Number(offset)) throw new TusRefusal(409, 'Upload-Offset conflict\n')
  const declared = header(exchange, 'upload-length')
  if (declared !== undefined) {
    if (upload.length !== undefined || Number(declared) < upload.offset)
      throw new TusRefusal(400, 'Upload-Length or Upload-Defer-Length header required\n')
    if (Number(declared) > maxBytes(state, upload.bucket))
      throw new TusRefusal(413, 'Maximum size exceeded\n')
    upload.length = Number(declared)
  }
  await write(state, exchange, upload, Number(offset))
  const done = await finish(state, upload, access)
  sendHeaders(exchange, 204, {
    ...TUS_HEADERS,
    'upload-offset': String(upload.offset),
    ...(done ? { 'tus-complete': '1' } : { 'upload-expires': expiry(upload) }),
  })
}

async function write(state: StorageState, exchange: Exchange, upload: TusUpload, offset = 0): Promise<void> {
  const bytes = await readBytes(exchange)
  // Two requests at one offset: the lock lets the second see what the first has written.
  if (upload.offset !== offset) throw new TusRefusal(409, 'Upload-Offset conflict\n')
  const end = upload.offset + bytes.length
  if (end > (upload.length ?? maxBytes(state, upload.bucket)))
    throw new TusRefusal(413, "upload's size exceeded\n")
  if (state.faults.storeDown) throw failures.storeDown()
  upload.chunks.push(bytes)
  upload.offset = end
}

async function finish(state: StorageState, upload: TusUpload, access: Access): Promise<boolean> {
  if (upload.length === undefined || upload.offset < upload.length) return false
  requireWritable(state, SERVICE, upload.bucket, upload.key, true)
  await storeBlob(state, upload.bucket, upload.key)
  const bytes = Buffer.concat(upload.chunks)
  const eTag = state.blobStore === 's3' ? tusEtag(upload.chunks) : plainEtag(bytes)
  const mimetype = metadataValue(upload, 'contentType') ?? 'application/octet-stream'
  commit(state, {
    bucketId: upload.bucket,
    name: upload.key,
    version: upload.version,
    owner: access.owner,
    bytes,
    blob: blobFacts(state, {
      bytes,
      mimetype,
      cacheControl: metadataValue(upload, 'cacheControl') ?? 'no-cache',
      eTag,
    }),
    userMetadata: userMetadata(metadataValue(upload, 'metadata')),
  })
  return true
}

function userMetadata(json: string | undefined): Record<string, unknown> | null {
  try {
    return json ? JSON.parse(json) : null
  } catch {
    return null
  }
}
