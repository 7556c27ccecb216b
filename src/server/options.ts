import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { UrlSigning } from '../core/url-token.ts'

export interface FileServerOptions {
  /** The same as the provider's. */
  signing: UrlSigning
  /** Keys that anyone may read without a signature: a prefix, or a function that says so. Default: none. */
  public?: string | ((key: string) => boolean)
  /**
   * Types that a browser shows as stored instead of saving them, beyond images, audio, video, PDF and plain text:
   * `['text/html']`. Their scripts still don't run, see `contentSecurityPolicy`. Default: none.
   */
  inlineTypes?: readonly string[]
  /**
   * Policy that files are served under. The default puts every file in a sandbox without scripts. `false` sends
   * none: together with `inlineTypes`, whoever uploads then decides what runs in this site's origin.
   */
  contentSecurityPolicy?: string | false
  /** Who may use files in pages. Default: `same-site`; `cross-origin` where `cors` is given. */
  crossOriginResourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin'
  /** Lets scripts of other origins read and upload. Default: none may. */
  cors?: CorsOptions
  /** `Cache-Control` of files that were stored without one. Default: `private, no-cache`. */
  cacheControl?: string
  /** Most bytes of an upload whose URL does not say. Default: as many as the store takes. */
  maxUploadBytes?: number
  /** Path under which requests arrive, where a proxy changes it. Default: that of `signing.baseUrl`. */
  basePath?: string
  /** Told of failures that are not the client's: the client gets a status, and no details. */
  onError?: (error: StorageError, request: Request) => void
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

export interface CorsOptions {
  /** Origins such as `https://example.org`, or `*` for all: no cookies are involved, the URL is what lets in. */
  origins: readonly string[] | '*'
  /** Seconds for which a browser may remember the answer to its preflight. Default: 600. */
  maxAgeSeconds?: number
}

/** A fetch-style handler: mount it anywhere that speaks `Request` and `Response`, else see `toNodeHandler`. */
export type FetchHandler = (request: Request) => Promise<Response>

const RESOURCE_POLICIES: readonly unknown[] = [undefined, 'same-origin', 'same-site', 'cross-origin']

/** @throws `invalid-argument` for an unknown option or one of the wrong kind; `signing` is checked where it is used */
export function assertServerOptions(options: FileServerOptions): void {
  assertFactoryOptions('fileServer', options, {
    signing: 'object',
    public: 'string or function',
    inlineTypes: 'array',
    contentSecurityPolicy: 'string or boolean',
    crossOriginResourcePolicy: 'string',
    cors: 'object',
    cacheControl: 'string',
    maxUploadBytes: 'number',
    basePath: 'string',
    onError: 'function',
    now: 'function',
  })
  const { inlineTypes = [], contentSecurityPolicy, crossOriginResourcePolicy, cors, maxUploadBytes } = options
  if (!inlineTypes.every(isString)) throw refuse('inlineTypes must be strings')
  if ((contentSecurityPolicy as unknown) === true)
    throw refuse('contentSecurityPolicy must be a string or false')
  if (!RESOURCE_POLICIES.includes(crossOriginResourcePolicy))
    throw refuse("crossOriginResourcePolicy must be 'same-origin', 'same-site' or 'cross-origin'")
  if (maxUploadBytes !== undefined && !isWhole(maxUploadBytes))
    throw refuse('maxUploadBytes must be a whole number of bytes')
  if (cors !== undefined) assertCors(cors)
}

function assertCors(cors: CorsOptions): void {
  // The kind would let any string pass, in which an origin would then be looked for as a part.
  assertFactoryOptions('fileServer: cors', cors, { origins: 'array or string', maxAgeSeconds: 'number' })
  const { origins, maxAgeSeconds } = cors
  if (origins !== '*' && !(Array.isArray(origins) && origins.every(isString)))
    throw refuse("cors.origins must be '*' or a list of origins such as https://example.org")
  if (maxAgeSeconds !== undefined && !isWhole(maxAgeSeconds))
    throw refuse('cors.maxAgeSeconds must be a whole number of seconds')
}

function isString(value: unknown): boolean {
  return typeof value === 'string'
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `fileServer: ${problem}`)
}
