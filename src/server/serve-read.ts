import type { Download } from '../core/download.ts'
import { isStorageError, type StorageError } from '../core/errors.ts'
import type { ByteRange } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { httpRange, spanOf } from '../core/range.ts'
import type { ObjectInfo } from '../core/results.ts'
import type { UrlClaims } from '../core/url-token.ts'
import { failedCondition, rangeApplies } from './conditions.ts'
import type { FileServerOptions } from './options.ts'
import { refusal } from './refusal.ts'
import { servingHeaders } from './serving-headers.ts'

export interface ReadContext {
  readonly provider: StorageProvider
  readonly options: FileServerOptions
  readonly request: Request
  readonly key: string
  /** Absent for what is public. */
  readonly claims: UrlClaims | undefined
  readonly onBodyError: (error: StorageError) => void
}

/** Answers GET and HEAD (RFC 9110, 9.3.1 and 14). */
export async function serveRead(context: ReadContext): Promise<Response> {
  const { provider, request, key } = context
  const { signal } = request
  if (request.method === 'HEAD') {
    const info = await provider.info(key, { signal })
    return conditional(context, info) ?? whole(context, info, null)
  }
  const range = request.headers.get('range')
  if (range === null) {
    const download = await provider.download(key, { signal })
    const early = conditional(context, download.info)
    if (early === undefined) return whole(context, download.info, body(context, download))
    download.cancel()
    return early
  }
  return serveRange(context, range)
}

/**
 * Looks first, since `If-Range` decides whether there is a range at all. The object may be replaced between the
 * look and the read: then its new state is looked at once more.
 */
async function serveRange(context: ReadContext, header: string): Promise<Response> {
  const { provider, request, key } = context
  const { signal } = request
  const pinned = provider.capabilities.conditionalRead === true
  for (let attempt = 0; ; attempt++) {
    const info = await provider.info(key, { signal })
    const early = conditional(context, info)
    if (early !== undefined) return early
    const range = rangeApplies(request.headers, info) && info.size > 0 ? oneRange(header) : undefined
    // What can't be understood, or is several ranges, is answered whole (RFC 9110, 14.2).
    const parsed = range === undefined ? undefined : httpRange(range, provider.name)
    const span = parsed === undefined ? undefined : spanOf(parsed, info.size)
    if (parsed !== undefined && (span === undefined || span.length === 0)) {
      return refusal(416, 'range-not-satisfiable', `the file has ${info.size} bytes`, {
        'content-range': `bytes */${info.size}`,
      })
    }
    try {
      const ifMatch = pinned && info.etag !== undefined ? { ifMatch: info.etag } : {}
      const download = await provider.download(key, { signal, ...ifMatch, ...(span ? { range: span } : {}) })
      const bytes = body(context, download)
      return span === undefined ? whole(context, download.info, bytes) : part(context, download, bytes)
    } catch (error) {
      if (attempt > 0 || !isStorageError(error, 'precondition-failed')) throw error
    }
  }
}

function oneRange(header: string): ByteRange | undefined {
  const match = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(header.replaceAll(' ', ''))
  if (match === null) return undefined
  const [, start, end, suffix] = match
  if (suffix !== undefined) return { suffix: Number(suffix) }
  if (end !== undefined && Number(end) < Number(start)) return undefined
  return { start: Number(start), ...(end === undefined ? {} : { end: Number(end) }) }
}

function conditional({ request, options, claims }: ReadContext, info: ObjectInfo): Response | undefined {
  const status = failedCondition(request.headers, info)
  if (status === undefined) return undefined
  if (status === 412) return refusal(412, 'precondition-failed', 'the file is another one by now')
  return new Response(null, { status, headers: servingHeaders(info, claims, options) })
}

function whole(context: ReadContext, info: ObjectInfo, bytes: ReadableStream<Uint8Array> | null): Response {
  const headers = servingHeaders(info, context.claims, context.options)
  headers.set('content-length', String(info.size))
  return new Response(bytes, { status: 200, headers })
}

function part(context: ReadContext, { info, range }: Download, bytes: ReadableStream<Uint8Array>): Response {
  const headers = servingHeaders(info, context.claims, context.options)
  const { offset, length } = range!
  headers.set('content-length', String(length))
  headers.set('content-range', `bytes ${offset}-${offset + length - 1}/${info.size}`)
  return new Response(bytes, { status: 206, headers })
}

function body({ onBodyError }: ReadContext, download: Download): ReadableStream<Uint8Array> {
  const watched = download.through(
    source => source,
    error => error !== undefined && onBodyError(error),
  )
  return watched.stream()
}
