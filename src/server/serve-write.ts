import { StorageError } from '../core/errors.ts'
import type { UploadOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { UrlClaims } from '../core/url-token.ts'
import { quoted, singleEtag } from './conditions.ts'
import type { FileServerOptions } from './options.ts'
import { refusal } from './refusal.ts'

export interface WriteContext {
  readonly provider: StorageProvider
  readonly options: FileServerOptions
  readonly request: Request
  readonly claims: UrlClaims
}

/** What browsers send with every request when their cache is off: it says nothing about the file. */
const REQUEST_CACHE_CONTROL = new Set(['no-cache', 'max-age=0', 'no-store'])

/** Answers PUT: stores the body where the URL allows what the request brings, and nothing of it otherwise. */
export async function serveUpload({ provider, options, request, claims }: WriteContext): Promise<Response> {
  const { headers, signal } = request
  const contentType = headers.get('content-type') ?? undefined
  if (claims.contentType !== undefined && contentType !== claims.contentType)
    return refusal(403, 'wrong-content-type', `this URL takes content-type ${claims.contentType} only`)
  const limit = claims.size ?? claims.maxSize ?? options.maxUploadBytes
  const declared = declaredLength(headers)
  if (limit !== undefined && declared !== undefined && declared > limit) return tooLarge(limit)
  if (claims.size !== undefined && declared !== undefined && declared < claims.size)
    return refusal(400, 'invalid-argument', `this URL takes exactly ${claims.size} bytes`)
  const conditions = writeConditions(headers)
  if (conditions === undefined)
    return refusal(400, 'invalid-argument', 'If-Match takes one etag here, and If-None-Match only *')
  const body = request.body === null ? new Uint8Array(0) : atMost(request.body, limit)
  const info = await provider.upload(claims.key, body, {
    ...attributes(headers),
    ...conditions,
    contentType,
    size: claims.size ?? declared,
    signal,
  })
  const { key, size, etag } = info
  return new Response(`${JSON.stringify({ key, size, etag, contentType: info.contentType })}\n`, {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(etag === undefined ? {} : { etag: quoted(etag)! }),
    },
  })
}

/** Answers DELETE: one that was not there is no error. */
export async function serveDelete({ provider, request, claims }: WriteContext): Promise<Response> {
  const header = request.headers.get('if-match')
  const ifMatch = header === null ? undefined : singleEtag(header)
  if (header !== null && ifMatch === undefined)
    return refusal(400, 'invalid-argument', 'If-Match takes one etag here')
  await provider.delete(claims.key, { ifMatch, signal: request.signal })
  return new Response(null, { status: 204 })
}

function attributes(headers: Headers): UploadOptions {
  const cacheControl = headers.get('cache-control')
  return {
    ...(cacheControl === null || REQUEST_CACHE_CONTROL.has(cacheControl.toLowerCase())
      ? {}
      : { cacheControl }),
    ...optional('contentEncoding', headers.get('content-encoding')),
    ...optional('contentLanguage', headers.get('content-language')),
  }
}

function optional(name: 'contentEncoding' | 'contentLanguage', value: string | null): UploadOptions {
  return value === null ? {} : { [name]: value }
}

function writeConditions(headers: Headers): UploadOptions | undefined {
  const ifMatch = headers.get('if-match')
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null) return ifNoneMatch === '*' && ifMatch === null ? { ifNoneMatch } : undefined
  if (ifMatch === null) return {}
  const etag = singleEtag(ifMatch)
  return etag === undefined ? undefined : { ifMatch: etag }
}

function declaredLength(headers: Headers): number | undefined {
  const text = headers.get('content-length')
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Fails as soon as one byte too many arrives: a length that was declared wrong or not at all changes nothing. */
async function* atMost(
  body: AsyncIterable<Uint8Array>,
  limit: number | undefined,
): AsyncIterable<Uint8Array> {
  let read = 0
  for await (const chunk of body) {
    read += chunk.length
    if (limit !== undefined && read > limit)
      throw new StorageError('too-large', `this URL takes at most ${limit} bytes; nothing was stored`)
    yield chunk
  }
}

function tooLarge(limit: number): Response {
  return refusal(413, 'too-large', `this URL takes at most ${limit} bytes; nothing was stored`)
}
