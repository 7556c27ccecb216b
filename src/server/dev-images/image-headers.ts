import { quoted } from '../conditions.ts'
import type { Processing } from './processing.ts'

/** An image as it is handed out, with what its source says of itself. */
export interface ServedImage {
  /** `undefined` where the client has it already. */
  readonly bytes: Uint8Array | undefined
  readonly type: string
  /** Without a dot; absent for a source that is handed out as it is. */
  readonly extension: string | undefined
  readonly etag: string | undefined
  readonly lastModified: Date | undefined
}

/** Neither an SVG nor whatever `raw` hands out can act as the site that it is served from. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

/** Seconds for which an image may be cached: `ttl`, but not past the end of its URL. */
export function cacheControl(expires: number, ttl: number, nowSeconds: number): string {
  const seconds = expires > 0 ? Math.min(ttl, Math.floor(expires - nowSeconds)) : ttl
  return seconds > 0 ? `max-age=${seconds}, public` : 'no-cache'
}

export function imageHeaders(image: ServedImage, source: string, wish: Processing): Headers {
  const headers = new Headers({
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
  })
  // Of the source, as imgproxy has it: the same for all variants, which are told apart by their URLs.
  if (image.etag !== undefined) headers.set('etag', quoted(image.etag)!)
  if (image.lastModified !== undefined) headers.set('last-modified', image.lastModified.toUTCString())
  if (image.bytes === undefined) return headers
  headers.set('content-type', image.type)
  headers.set('content-length', String(image.bytes.length))
  headers.set('content-disposition', disposition(source, wish, image.extension))
  return headers
}

/** The name asked for, else that of the source, with the ending of what is sent. */
function disposition(source: string, wish: Processing, extension: string | undefined): string {
  const [, ownStem = '', ownExtension = ''] = /([^/]*?)(\.[^./]*)?$/.exec(source) ?? []
  const stem = wish.fileName || ownStem || 'image'
  const name = `${stem}${extension === undefined ? ownExtension : `.${extension}`}`
  const safe = name.replaceAll('"', '%22').replace(/[\x00-\x1f\x7f]/g, ' ')
  // Headers are bytes, and imgproxy sends these in UTF-8.
  const bytes = Buffer.from(safe.toWellFormed(), 'utf8').toString('latin1')
  return `${wish.attachment ? 'attachment' : 'inline'}; filename="${bytes}"`
}
