import { assertProvider } from '../../core/assert-provider.ts'
import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { CorsOptions } from '../options.ts'
import { type Preset, parsePreset } from './processing-options.ts'

export interface DevImagesOptions {
  /** In hex, as `IMGPROXY_KEY`. Several, as a list or with commas, are accepted beside each other. */
  key?: string | readonly string[]
  /** In hex, as `IMGPROXY_SALT`; each goes with the key at its place. */
  salt?: string | readonly string[]
  /** Instead of `key` and `salt`: any word passes as a signature. Default: false. */
  unsigned?: boolean
  /** Bytes of a signature, as `IMGPROXY_SIGNATURE_SIZE`. Default: 32, all of it. */
  signatureSize?: number
  /** Words that pass as a signature, as `IMGPROXY_TRUSTED_SIGNATURES`. Default: none. */
  trustedSignatures?: readonly string[]
  /** Holds the keys of `local:///<key>`. Under records: the provider that was wrapped, since URLs name its keys. */
  local?: StorageProvider
  /** Holds the keys of `s3://<bucket>/<key>`, by the bucket's name. */
  buckets?: Readonly<Record<string, StorageProvider>>
  /**
   * Origins, such as `http://localhost:8080`, that `http` and `https` sources may come from, redirects included.
   * Default: none, since whoever makes a URL would otherwise have this machine ask any address that it can reach.
   */
  origins?: readonly string[]
  /** Asked first, for sources of other kinds. Where it gives nothing, the options above are asked. */
  source?: (
    url: string,
    context: { readonly signal: AbortSignal },
  ) => Promise<DevImageSource | undefined> | DevImageSource | undefined
  /** Cuts what follows it off keys, as `IMGPROXY_SOURCE_URL_QUERY_SEPARATOR`. Default: `?`; `''` for keys with one. */
  querySeparator?: string
  /** Options by the name of their preset: `{ thumb: 'rs:fill:150:150' }`. One called `default` holds for all URLs. */
  presets?: Readonly<Record<string, string>>
  /** Takes presets in place of options, and nothing else, as `IMGPROXY_ONLY_PRESETS`. Default: false. */
  onlyPresets?: boolean
  /** Path under which requests arrive; it is not signed. Default: none. */
  basePath?: string
  /** Seconds for which an image may be cached; no longer than its URL lives. Default: 31,536,000, a year. */
  ttlSeconds?: number
  /** Lets scripts of other origins read images, as a canvas or WebGL must. Default: none may. */
  cors?: CorsOptions
  /** Most bytes of a source. Default: 52,428,800. */
  maxSourceBytes?: number
  /** Most pixels of a source, all frames together, and of a result. Default: 50,000,000. */
  maxPixels?: number
  /** Milliseconds that an image may take, waiting in line included. Default: 10,000. */
  timeoutMs?: number
  /** Images made at once. Default: 2. */
  concurrency?: number
  /** Told why a request got no image, a line each, without secrets. The same stands in `x-dev-images-reason`. */
  log?: (line: string) => void
  /** Serves also where `NODE_ENV` is `production`. Default: false. */
  allowInProduction?: boolean
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

/** An image to be worked on. */
export interface DevImageSource {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
  /** Without quotes. */
  readonly etag?: string | undefined
  readonly lastModified?: Date | undefined
  readonly contentType?: string | undefined
}

/** @throws `invalid-argument` for an unknown option or one of the wrong kind; keys are checked where they are used */
export function assertDevImagesOptions(options: DevImagesOptions): void {
  assertFactoryOptions('devImages', options, {
    key: 'string or array',
    salt: 'string or array',
    unsigned: 'boolean',
    signatureSize: 'number',
    trustedSignatures: 'array',
    local: 'object',
    buckets: 'object',
    origins: 'array',
    source: 'function',
    querySeparator: 'string',
    presets: 'object',
    onlyPresets: 'boolean',
    basePath: 'string',
    ttlSeconds: 'number',
    cors: 'object',
    maxSourceBytes: 'number',
    maxPixels: 'number',
    timeoutMs: 'number',
    concurrency: 'number',
    log: 'function',
    allowInProduction: 'boolean',
    now: 'function',
  })
  for (const provider of [options.local, ...Object.values(options.buckets ?? {})])
    if (provider !== undefined) assertProvider('devImages: local or buckets', provider)
  for (const name of ['ttlSeconds', 'maxSourceBytes', 'maxPixels', 'timeoutMs', 'concurrency'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0 && value < 2 ** 31))
      throw refuse(`${name} must be a whole number above 0`)
  }
  for (const origin of options.origins ?? []) {
    if (typeof origin !== 'string' || !/^https?:$/.test(protocolOf(origin)))
      throw refuse('origins must be such as http://localhost:8080, without a path')
  }
  for (const word of options.trustedSignatures ?? [])
    if (typeof word !== 'string' || word === '') throw refuse('trustedSignatures must be words')
}

/** @throws `invalid-argument` for what is no list of options */
export function presetsOf(presets: DevImagesOptions['presets']): ReadonlyMap<string, Preset> {
  return new Map(
    Object.entries(presets ?? {}).map(([name, text]) => {
      const preset = typeof text === 'string' ? parsePreset(text) : undefined
      if (preset === undefined)
        throw refuse(`the preset '${name}' must be options such as rs:fill:150:150/q:80`)
      return [name, preset]
    }),
  )
}

/** @throws `unsupported` in production: what is made to be convenient for one developer is no server for the world */
export function assertDevelopment({ allowInProduction }: DevImagesOptions): void {
  if (allowInProduction === true || globalThis.process?.env.NODE_ENV !== 'production') return
  throw new StorageError(
    'unsupported',
    'devImages: this handler is for development; run imgproxy in production, or say allowInProduction: true',
  )
}

/** `''` for what is no origin and nothing else. */
function protocolOf(origin: string): string {
  if (!URL.canParse(origin)) return ''
  const url = new URL(origin)
  return url.origin === origin.replace(/\/$/, '') ? url.protocol : ''
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `devImages: ${problem}`)
}
