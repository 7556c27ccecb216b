/** Reading: the bytes by four doors, and `info`. */
import { byteRange } from './byte-range.ts'
import { type Exchange, header, sendBytes, sendHeaders, sendJson } from './http-exchange.ts'
import type { Params } from './router.ts'
import { authenticate, type Caller, may, SERVICE } from './row-policies.ts'
import { downloadExpiry } from './signed-tokens.ts'
import { failures } from './storage-failure.ts'
import { iso, type StorageState, type StoredObject } from './storage-state.ts'

function readable(state: StorageState, caller: Caller, params: Params): StoredObject {
  if (!state.buckets.has(params.bucket)) throw failures.noSuchBucket()
  const object = state.find(params.bucket, params.key)
  if (!object || !may(state, caller, 'select', params.bucket, object)) throw failures.noSuchKey()
  return object
}

/** Who reads when the route names no door: anyone in a public bucket, else the key in the header. */
function openCaller(state: StorageState, exchange: Exchange, params: Params): Caller {
  const bucket = state.buckets.get(params.bucket)
  if (exchange.headers.authorization === undefined) {
    if (!bucket?.public) throw failures.noSuchBucket()
    return SERVICE
  }
  const caller = authenticate(exchange.headers, state)
  return bucket?.public ? SERVICE : caller
}

function publicCaller(state: StorageState, params: Params): Caller {
  if (!state.buckets.get(params.bucket)?.public) throw failures.noSuchBucket()
  return SERVICE
}

function serve(state: StorageState, exchange: Exchange, object: StoredObject, expires?: string): void {
  if (state.faults.storeDown) throw failures.internal()
  const { blob, bytes } = object
  const modified = new Date(blob.lastModified).toUTCString()
  if (exchange.method === 'GET' && notModified(exchange, blob.eTag, modified)) {
    sendHeaders(exchange, 304, {})
    return
  }
  const range =
    exchange.method === 'GET'
      ? byteRange(header(exchange, 'range'), bytes.length, state.blobStore)
      : undefined
  const part = range ? bytes.subarray(range.start, range.end + 1) : bytes
  const download = exchange.query.get('download')
  const name = encodeURIComponent(download ?? '')
  sendBytes(
    exchange,
    range ? 206 : 200,
    {
      'accept-ranges': 'bytes',
      // HTML is never served as HTML from the API's own origin.
      'content-type': blob.mimetype.includes('text/html') ? 'text/plain' : blob.mimetype,
      etag: blob.eTag,
      'x-robots-tag': blob.xRobotsTag ?? 'none',
      'last-modified': modified,
      ...(expires === undefined ? { 'cache-control': blob.cacheControl } : { expires }),
      ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${bytes.length}` } : {}),
      ...(download === null
        ? {}
        : {
            'content-disposition':
              download === '' ? 'attachment;' : `attachment; filename=${name}; filename*=UTF-8''${name}`,
          }),
    },
    part,
  )
}

function notModified(exchange: Exchange, eTag: string, modified: string): boolean {
  const tags = header(exchange, 'if-none-match')
  if (tags !== undefined) return tags === '*' || tags.split(',').some(tag => tag.trim() === eTag)
  const since = header(exchange, 'if-modified-since')
  return since !== undefined && Date.parse(modified) <= Date.parse(since)
}

/** Served from the row alone, so it answers while the blob store is down. */
function info(exchange: Exchange, object: StoredObject): void {
  const { blob } = object
  const body = {
    id: object.id,
    name: object.name,
    version: object.version,
    bucket_id: object.bucketId,
    size: blob.size,
    content_type: blob.mimetype,
    cache_control: blob.cacheControl,
    etag: blob.eTag,
    metadata: object.userMetadata,
    last_modified: iso(object.updatedAt),
    created_at: iso(object.createdAt),
  }
  sendJson(exchange, body, 200, {
    etag: blob.eTag,
    'last-modified': new Date(blob.lastModified).toUTCString(),
    'cache-control': blob.cacheControl,
  })
}

export function getObject(state: StorageState, exchange: Exchange, params: Params): void {
  serve(state, exchange, readable(state, openCaller(state, exchange, params), params))
}

export function getAuthenticatedObject(state: StorageState, exchange: Exchange, params: Params): void {
  serve(state, exchange, readable(state, authenticate(exchange.headers, state), params))
}

export function getPublicObject(state: StorageState, exchange: Exchange, params: Params): void {
  serve(state, exchange, readable(state, publicCaller(state, params), params))
}

export function getSignedObject(state: StorageState, exchange: Exchange, params: Params): void {
  const token = exchange.query.get('token')
  if (token === null) throw failures.schema("querystring must have required property 'token'")
  const expires = downloadExpiry(state, token, `${params.bucket}/${params.key}`)
  const object = state.find(params.bucket, params.key)
  if (!object) throw failures.noSuchKey()
  serve(state, exchange, object, expires)
}

export function getInfo(state: StorageState, exchange: Exchange, params: Params): void {
  info(exchange, readable(state, openCaller(state, exchange, params), params))
}

export function getAuthenticatedInfo(state: StorageState, exchange: Exchange, params: Params): void {
  info(exchange, readable(state, authenticate(exchange.headers, state), params))
}

export function getPublicInfo(state: StorageState, exchange: Exchange, params: Params): void {
  info(exchange, readable(state, publicCaller(state, params), params))
}
