import { type Deadline, deadline } from '../../core/deadline.ts'
import { isStorageError } from '../../core/errors.ts'
import { redact } from '../../core/redact.ts'
import { failedCondition } from '../conditions.ts'
import { withCors } from '../cors.ts'
import type { FetchHandler } from '../options.ts'
import { cacheControl, imageHeaders, type ServedImage } from './image-headers.ts'
import { type ImageRequest, parsePath, splitSignature } from './image-path.ts'
import { ImageRefusal } from './image-refusal.ts'
import { closeSource, openSource, readSource } from './open-source.ts'
import { assertDevelopment, assertDevImagesOptions, type DevImagesOptions, presetsOf } from './options.ts'
import { renderImage } from './render-image.ts'
import { signatureCheck } from './signature-check.ts'
import { WorkQueue } from './work-queue.ts'

const SERVER = 'stowage-dev-images'
const YEAR_SECONDS = 31_536_000
const DEFAULTS = {
  maxSourceBytes: 50 * 1024 * 1024,
  maxPixels: 50_000_000,
  timeoutMs: 10_000,
  concurrency: 2,
}

/**
 * A fetch-style handler that answers the URLs of `imgproxy()` on a developer's machine, by sharp and without a
 * second server. **For development only**: it does the usual part of what imgproxy does, without its speed and its
 * armour, and refuses to be made where `NODE_ENV` is `production`.
 *
 * Signatures, statuses and sizes are those of imgproxy; what imgproxy could do and this handler can't is refused as
 * imgproxy refuses what it can't. The true reason stands in the header `x-dev-images-reason`, and `log` is told.
 *
 * @throws `invalid-argument` for an option it does not know or of the wrong kind, or a key that is no hex;
 *   `unsupported` in production
 *
 * @example
 * ```ts
 * const images = devImages({ key: process.env.IMGPROXY_KEY!, salt: process.env.IMGPROXY_SALT!, local: files })
 * createServer(toNodeHandler(images)).listen(8081)
 * ```
 */
export function devImages(options: DevImagesOptions): FetchHandler {
  assertDevImagesOptions(options)
  assertDevelopment(options)
  const checkSignature = signatureCheck(options)
  const presets = presetsOf(options.presets)
  const limits = {
    maxPixels: options.maxPixels ?? DEFAULTS.maxPixels,
    timeoutMs: options.timeoutMs ?? DEFAULTS.timeoutMs,
  }
  const base = (options.basePath ?? '').replace(/\/+$/, '')
  const now = options.now ?? Date.now
  const queue = new WorkQueue<ServedImage>(options.concurrency ?? DEFAULTS.concurrency)

  async function make(
    { source, processing }: ImageRequest,
    headers: Headers,
    signal: AbortSignal,
  ): Promise<ServedImage> {
    const opened = await openSource(source, options, signal)
    const { etag, lastModified, contentType = 'application/octet-stream' } = opened
    const known = { etag, lastModified }
    if (failedCondition(headers, known) === 304) {
      closeSource(opened)
      return { ...known, bytes: undefined, type: '', extension: undefined }
    }
    const bytes = await readSource(opened, options.maxSourceBytes ?? DEFAULTS.maxSourceBytes, signal)
    if (processing.raw) return { ...known, bytes, type: contentType, extension: undefined }
    return { ...known, ...(await renderImage(bytes, processing, limits)) }
  }

  async function image(request: Request, pathname: string, { signal }: Deadline): Promise<Response> {
    // In whole seconds, as imgproxy counts: a URL lives through the second that it ends in.
    const nowSeconds = Math.floor(now() / 1000)
    const { signature, path } = splitSignature(pathname)
    checkSignature(signature, path)
    const wanted = parsePath(path, { presets, nowSeconds }, options.onlyPresets === true)
    const name = JSON.stringify([path, conditionsOf(request.headers)])
    const served = await queue.run(name, signal!, end => make(wanted, request.headers, end))
    const headers = imageHeaders(served, wanted.source, wanted.processing)
    const { expires } = wanted.processing
    headers.set('cache-control', cacheControl(expires, options.ttlSeconds ?? YEAR_SECONDS, nowSeconds))
    const status = served.bytes === undefined ? 304 : 200
    return new Response(served.bytes as Uint8Array<ArrayBuffer> | undefined, { status, headers })
  }

  function refused(error: unknown, request: Request): Response {
    const { status, said, message } = asRefusal(error, request.signal)
    const reason = redact(message)
    options.log?.(`${SERVER}: ${status} ${said.trim()}: ${reason}`)
    const response = text(status, said)
    response.headers.set('x-dev-images-reason', reason.replace(/[^\x20-\x7e]+/g, '?'))
    return response
  }

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith(`${base}/`)) return text(404, ' ')
    // So does imgproxy, whatever the path: HEAD tells nothing of an image.
    if (request.method === 'HEAD' || request.method === 'OPTIONS') return text(200, ' ')
    if (request.method !== 'GET') return text(404, ' ')
    const inside = pathname.slice(base.length)
    if (inside === '/health') return text(200, SERVER)
    if (/%(?![0-9a-f]{2})/i.test(inside)) return text(400, '400 Bad Request', 'text/plain; charset=utf-8')
    let end: Deadline | undefined
    try {
      end = deadline({ signal: request.signal, timeoutMs: limits.timeoutMs }, 'image', SERVER)
      return await image(request, inside, end)
    } catch (error) {
      return refused(error, request)
    } finally {
      end?.clear()
    }
  }

  return async request => {
    const response = await answer(request)
    response.headers.set('server', SERVER)
    return withCors(response, request, options.cors)
  }
}

function text(status: number, body: string, type = 'text/plain'): Response {
  return new Response(body, { status, headers: { 'content-type': type } })
}

function conditionsOf(headers: Headers): (string | null)[] {
  return ['if-none-match', 'if-modified-since'].map(name => headers.get(name))
}

/** 499 is what proxies write down for a client that has gone: nobody reads that answer. */
function asRefusal(error: unknown, signal: AbortSignal): ImageRefusal {
  if (error instanceof ImageRefusal) return error
  if (signal.aborted) return new ImageRefusal(499, 'Cancelled', 'the client has gone away')
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  if (name === 'TimeoutError') return new ImageRefusal(503, 'Timeout', `the image was not ready: ${message}`)
  // The developer who reads it is the one who can install what is missing.
  if (isStorageError(error, 'unsupported')) return new ImageRefusal(500, message, message)
  return new ImageRefusal(500, 'Internal error', message)
}
