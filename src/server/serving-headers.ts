/**
 * The headers a file is served with. Whoever uploads chooses its bytes and its type; on a site's own origin an
 * HTML page or an SVG among them would act as that site. So every file is served in a sandbox, types that can
 * act are saved instead of shown, and no type is guessed.
 */
import { attachment, fileNameOf } from '../core/content-disposition.ts'
import type { ObjectInfo } from '../core/results.ts'
import type { UrlClaims } from '../core/url-token.ts'
import { quoted } from './conditions.ts'
import type { FileServerOptions } from './options.ts'

/**
 * Types that only show, whatever is in them. A list of what is safe: new types that can act are not on it. None with
 * a plus: a browser takes every `…+xml` for XML, and XML can hold scripts.
 */
const INERT = /^(?:(?:image|audio|video)\/(?!svg)[\w.-]+|text\/plain|text\/csv|application\/pdf)$/
/** Types that a page of the same origin could load as its own script: sent as text, which `nosniff` refuses. */
const SCRIPT = /^(?:text|application)\/(?:x-)?(?:javascript|ecmascript|jscript|livescript)|^text\/javascript/
const SANDBOX =
  "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox"
/** What Chromium does not show in a sandbox. It builds these pages itself; no script of the file's gets at them. */
const UNBOXED = /^(?:video\/|audio\/|application\/pdf$)/
const UNBOXED_POLICY = "default-src 'none'; object-src 'self'; media-src 'self'; style-src 'unsafe-inline'"

/** Headers that say how to treat the content, the same for 200, 206 and 304. */
export function servingHeaders(
  info: ObjectInfo,
  claims: UrlClaims | undefined,
  options: FileServerOptions,
): Headers {
  const type = essence(info.contentType)
  const inline = INERT.test(type) || options.inlineTypes?.includes(type) === true
  const headers = new Headers({
    'content-type': shownType(info.contentType, type, inline),
    'cache-control': info.cacheControl ?? options.cacheControl ?? 'private, no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy':
      options.crossOriginResourcePolicy ?? (options.cors === undefined ? 'same-site' : 'cross-origin'),
    'accept-ranges': 'bytes',
  })
  const policy = options.contentSecurityPolicy ?? (UNBOXED.test(type) && inline ? UNBOXED_POLICY : SANDBOX)
  if (policy !== false) headers.set('content-security-policy', policy)
  const optional = {
    etag: quoted(info.etag),
    'last-modified': info.lastModified?.toUTCString(),
    'content-encoding': info.contentEncoding,
    'content-language': info.contentLanguage,
    'content-disposition': disposition(info, claims, inline),
  }
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) headers.set(name, value)
  return headers
}

function essence(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase() || 'application/octet-stream'
}

function shownType(contentType: string | undefined, type: string, inline: boolean): string {
  if (!inline && SCRIPT.test(type)) return 'text/plain; charset=utf-8'
  return contentType ?? type
}

function disposition(info: ObjectInfo, claims: UrlClaims | undefined, inline: boolean): string | undefined {
  if (claims?.download !== undefined) return attachment(claims.download || fileNameOf(info.key))
  const stored = info.contentDisposition
  if (inline || stored?.trimStart().toLowerCase().startsWith('attachment')) return stored
  return attachment(fileNameOf(info.key))
}
