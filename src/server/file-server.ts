import { assertProvider } from '../core/assert-provider.ts'
import { StorageError } from '../core/errors.ts'
import { ANY_KEY, keyProblem } from '../core/keys.ts'
import type { StorageProvider } from '../core/provider.ts'
import { UrlToken, type UrlVerdict } from '../core/url-token.ts'
import { preflight, withCors } from './cors.ts'
import { assertServerOptions, type FetchHandler, type FileServerOptions } from './options.ts'
import { isOurs, refusal, refusalOf } from './refusal.ts'
import { serveRead } from './serve-read.ts'
import { serveDelete, serveUpload } from './serve-write.ts'

const ALLOW = 'GET, HEAD, PUT, DELETE, OPTIONS'

type Refused = Exclude<UrlVerdict, { ok: true }>['reason']
const REFUSED: Record<Refused, string> = {
  unsigned: 'this file needs a signed URL',
  'bad-signature': 'the signature of this URL is wrong: it was changed or made with another secret',
  expired: 'this URL has expired; ask for a new one',
  'wrong-method': 'this URL was signed for another method',
}

/**
 * A fetch-style handler that serves and accepts the signed URLs of local and memory storage, with ranges and
 * conditions (RFC 9110). What it serves can't act as the site it is served from, unless asked: see `inlineTypes`
 * and `contentSecurityPolicy`.
 *
 * @throws `invalid-argument` for what is no provider, an option it does not know or of the wrong kind, a short
 *   secret or a bad base URL
 *
 * @example
 * ```ts
 * const signing = { baseUrl: 'https://example.org/files', secret: process.env.STOWAGE_URL_SECRET! }
 * const files = local({ root: './data', signing })
 * app.use('/files', toNodeHandler(fileServer(files, { signing })))
 * ```
 */
export function fileServer(provider: StorageProvider, options: FileServerOptions): FetchHandler {
  assertProvider('fileServer', provider)
  assertServerOptions(options)
  const token = new UrlToken(options.signing)
  const base = (options.basePath ?? new URL(token.baseUrl).pathname).replace(/\/+$/, '')
  const isPublic = publicKeys(options.public)
  const now = options.now ?? Date.now

  const answer = async (request: Request): Promise<Response> => {
    const { method } = request
    if (method === 'OPTIONS') return preflight(request, options.cors)
    const url = new URL(request.url)
    const key = keyOf(url.pathname, base)
    if (key === undefined) return refusal(404, 'not-found', 'no file has this address')
    if (!['GET', 'HEAD', 'PUT', 'DELETE'].includes(method))
      return refusal(405, 'method-not-allowed', `files take ${ALLOW}`, { allow: ALLOW })
    const report = (error: StorageError) => {
      if (isOurs(error) && !request.signal.aborted) options.onError?.(error, request)
    }
    const verdict = token.verify(key, method, url.searchParams, now())
    try {
      if (!verdict.ok) {
        const open = verdict.reason === 'unsigned' && (method === 'GET' || method === 'HEAD') && isPublic(key)
        if (!open) return refusal(403, verdict.reason, REFUSED[verdict.reason])
      }
      const claims = verdict.ok ? verdict.claims : undefined
      const context = { provider, options, request, key, onBodyError: report }
      if (method === 'GET' || method === 'HEAD') return await serveRead({ ...context, claims })
      return await (method === 'PUT' ? serveUpload : serveDelete)({ ...context, claims: claims! })
    } catch (thrown) {
      const error =
        thrown instanceof StorageError
          ? thrown
          : new StorageError('internal', 'the server failed', { key, cause: thrown })
      report(error)
      return refusalOf(error)
    }
  }
  return async request => withCors(await answer(request), request, options.cors)
}

/** The key that a path names: each character decoded exactly once. @returns undefined for none or a bad one */
function keyOf(pathname: string, base: string): string | undefined {
  if (!pathname.startsWith(`${base}/`)) return undefined
  try {
    const key = decodeURIComponent(pathname.slice(base.length + 1))
    return keyProblem(key, ANY_KEY) === undefined ? key : undefined
  } catch {
    return undefined
  }
}

function publicKeys(option: FileServerOptions['public']): (key: string) => boolean {
  if (typeof option === 'string') return key => key.startsWith(option)
  return option ?? (() => false)
}
