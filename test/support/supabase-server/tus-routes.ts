/** The resumable protocol: real HTTP statuses and plain text, unlike the rest of the API. */
import { randomUUID } from 'node:crypto'
import { plainEtag } from './etag.ts'
import {
  type Exchange,
  header,
  readBytes,
  sendBytes,
  sendHeaders,
  sendJson,
  wantsUpsert,
} from './http-exchange.ts'
import { requireBucketName, requireKey } from './object-keys.ts'
import { bearerOf, type Caller, callerOf, ownerOf, SERVICE } from './row-policies.ts'
import { uploadTokenOf } from './signed-tokens.ts'
import { failures, StorageFailure } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'
import { formatTusMetadata, metadataValue, parseTusMetadata, type TusUpload, tusEtag } from './tus-upload.ts'
import { requireMime } from './upload-body.ts'
import { blobFacts, commit, requireWritable, storeBlob } from './write-object.ts'

const ALLOWED_HEADERS =
  'Authorization, Content-Type, Location, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, X-HTTP-Method-Override, X-Requested-With, X-Forwarded-Host, X-Forwarded-Proto, Forwarded,'
const TUS = { 'tus-resumable': '1.0.0' }
const EXPOSE = { 'access-control-expose-headers': ALLOWED_HEADERS }
const LIFETIME_MS = 24 * 60 * 60 * 1000

class TusRefusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const notFound = () => new TusRefusal(404, 'The file for this url was not found\n')

export async function tusRequest(state: StorageState, exchange: Exchange): Promise<void> {
  const signed = /^\/upload\/resumable\/sign(\/|$)/.test(exchange.path)
  try {
    if (exchange.method === 'OPTIONS') return sendOptions(state, exchange)
    const caller = signed ? SERVICE : callerOf(bearerOf(exchange.headers), state)
    await answer(state, exchange, { signed, caller, owner: ownerOf(caller), upsert: wantsUpsert(exchange) })
  } catch (error) {
    if (!(error instanceof StorageFailure)) throw error
    sendJson(exchange, error.body(), error.httpStatus)
  }
}

interface Access {
  signed: boolean
  caller: Caller
  owner: string
  upsert: boolean
}

async function answer(state: StorageState, exchange: Exchange, access: Access): Promise<void> {
  if (header(exchange, 'tus-resumable') === undefined)
    return sendText(exchange, 412, 'Tus-Resumable Required\n', TUS)
  try {
    if (state.faults.databaseDown) throw failures.internal()
    if (exchange.method === 'POST') return await create(state, exchange, access)
    const id = /([^/]+)\/?$/.exec(exchange.path)?.[1] ?? ''
    if (exchange.method === 'HEAD') return describe(exchange, pending(state, id))
    if (exchange.method === 'PATCH') return await append(state, exchange, id, access)
    if (exchange.method === 'DELETE') {
      const upload = pending(state, id)
      authorize(state, exchange, upload, access)
      state.tusUploads.delete(id)
      return sendHeaders(exchange, 204, { ...EXPOSE, ...TUS })
    }
    throw new TusRefusal(404, 'Not found\n')
  } catch (error) {
    if (error instanceof TusRefusal)
      return sendText(exchange, error.status, error.message, { ...EXPOSE, ...TUS })
    if (error instanceof StorageFailure)
      return sendText(exchange, error.statusCode, error.message, { ...EXPOSE, ...TUS })
    throw error
  }
}

/** Asked again on every request that writes, so `x-upsert` has to be on each of them. */
function authorize(
  state: StorageState,
  exchange: Exchange,
  target: { bucket: string; key: string },
  access: Access,
): void {
  if (!access.signed) {
    requireWritable(state, access.caller, target.bucket, target.key, access.upsert)
    return
  }
  const token = header(exchange, 'x-signature')
  if (token === undefined) throw failures.invalidSignature('Missing x-signature header')
  const { upsert, owner } = uploadTokenOf(state, token, target.bucket, target.key)
  access.upsert = upsert
  access.owner = owner
}

function maxBytes(state: StorageState, bucketId: string): number {
  const bucket = state.buckets.get(bucketId)
  if (!bucket) throw failures.noSuchBucket()
  return Math.min(state.limits.resumableBytes, bucket.fileSizeLimit ?? state.limits.resumableBytes)
}

async function create(state: StorageState, exchange: Exchange, access: Access): Promise<void> {
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
    ...EXPOSE,
    ...TUS,
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

function pending(state: StorageState, id: string): TusUpload {
  const upload = state.tusUploads.get(id)
  if (!upload) throw notFound()
  const unfinished = upload.length === undefined || upload.offset < upload.length
  if (unfinished && state.now() > upload.createdAt + LIFETIME_MS)
    throw new TusRefusal(410, 'The file for this url no longer exists\n')
  return upload
}

function describe(exchange: Exchange, upload: TusUpload): void {
  sendHeaders(exchange, 200, {
    ...EXPOSE,
    ...TUS,
    'cache-control': 'no-store',
    'content-type': 'text/plain;charset=UTF-8',
    'upload-offset': String(upload.offset),
    ...(upload.length === undefined
      ? { 'upload-defer-length': '1' }
      : { 'upload-length': String(upload.length) }),
    'upload-metadata': formatTusMetadata(upload.metadata),
  })
}

async function append(state: StorageState, exchange: Exchange, id: string, access: Access): Promise<void> {
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
    ...EXPOSE,
    ...TUS,
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

const expiry = (upload: TusUpload): string => new Date(upload.createdAt + LIFETIME_MS).toUTCString()

function sendText(exchange: Exchange, status: number, text: string, headers: Record<string, string>): void {
  sendBytes(exchange, status, { 'content-type': 'text/plain;charset=UTF-8', ...headers }, text)
}

function sendOptions(state: StorageState, exchange: Exchange): void {
  sendHeaders(exchange, 204, {
    ...EXPOSE,
    ...TUS,
    'access-control-allow-headers': `${ALLOWED_HEADERS} Authorization, X-Upsert, Upload-Expires, ApiKey, x-signature`,
    'access-control-allow-methods': 'POST, HEAD, PATCH, OPTIONS, DELETE',
    'access-control-max-age': '86400',
    'tus-extension': 'creation,creation-with-upload,creation-defer-length,termination,expiration',
    'tus-max-size': String(state.limits.resumableBytes),
    'tus-version': '1.0.0',
  })
}
