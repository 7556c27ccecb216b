import { assertFactoryOptions } from '../../core/factory-options.ts'
import { formatName } from './argument-writers.ts'
import type { Format, ImageOptions } from './image-options.ts'
import { type HexValues, hexBytes, type KeyPair, keyPairs } from './key-pairs.ts'
import type { ProOptions } from './pro-options.ts'
import { refusal } from './refusal.ts'
import type { SourceRules } from './source.ts'

export type Edition = 'open-source' | 'pro'

/** What `url()` and `preset()` take: the Pro options only where the builder is for a Pro server. */
export type OptionsOf<E extends Edition> = E extends 'pro'
  ? Omit<ImageOptions, 'gravity'> & ProOptions
  : ImageOptions

export interface ImgproxyOptions<E extends Edition = 'open-source'> {
  /** Where imgproxy or the CDN before it answers: `https://img.example.org`, also with a path: `https://example.org/img`. */
  readonly url: string
  /**
   * The server's `IMGPROXY_KEY`, in hexadecimal. Several, while they are rotated: separated by commas or as an array,
   * oldest first. **The last one is the newest and signs**; `verify` accepts each.
   */
  readonly key: HexValues
  /** The server's `IMGPROXY_SALT`, as many as there are keys. */
  readonly salt: HexValues
  /** The server's `IMGPROXY_SIGNATURE_SIZE`, bytes, 1 to 32. Default: 32. */
  readonly signatureSize?: number
  /** The server's edition. Default: `open-source`; `pro` adds the options of imgproxy Pro. */
  readonly edition?: E
  /** What URLs end in where an image does not say. Default: `webp`. See `ImageOptions.format` for `source`. */
  readonly format?: Format | 'source'
  /**
   * `plain` is readable; `base64` also survives proxies that change escapes; `encrypted` hides the source and is for
   * `edition: 'pro'`. Default: `plain`.
   */
  readonly sourceEncoding?: E extends 'pro' ? SourceRules['encoding'] : 'plain' | 'base64'
  /** Characters of base64 between two slashes, 0 for no slashes. Default: 0. */
  readonly base64SplitSize?: number
  /** Keeps the `=` at the end of base64, for URLs that are the same as those of an older builder. Default: false. */
  readonly base64Padding?: boolean
  /** For `sourceEncoding: 'encrypted'`. */
  readonly encryption?: E extends 'pro' ? Encryption : never
  /**
   * Lets signed URLs be sources. **Who sees the image URL can then fetch the original**, for as long as it was signed.
   * Default: false.
   */
  readonly allowSignedSource?: boolean
  /** The server's `IMGPROXY_SOURCE_URL_QUERY_SEPARATOR`: where it ends the key of an `s3://` source. Default: `?`. */
  readonly sourceQuerySeparator?: string
  /** The server's `IMGPROXY_BASE_URL`, which it puts before every source: sources may then be relative. Default: none. */
  readonly sourceBaseUrl?: string
  /** Seconds that a URL lives at least, where an image has no `expires` of its own. Default: URLs do not end. */
  readonly ttlSeconds?: number
  /**
   * Ends of URLs move in steps of this, in seconds, so that URLs made meanwhile are the same and a CDN keeps one copy: a
   * URL lives from `ttlSeconds` to `ttlSeconds + ttlWindowSeconds`. Each source steps at a time of its own.
   * Default: `ttlSeconds`.
   */
  readonly ttlWindowSeconds?: number
  /** Names of presets that the server knows: others are refused. Default: any name. */
  readonly presets?: readonly string[]
  /** The server's `IMGPROXY_ONLY_PRESETS`. Default: false. */
  readonly onlyPresets?: boolean
  /** The server's `IMGPROXY_ALLOW_SECURITY_OPTIONS`: lets `maxSourceBytes` and the like through. Default: false. */
  readonly allowSecurityOptions?: boolean
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

export interface Encryption {
  /** The server's `IMGPROXY_SOURCE_URL_ENCRYPTION_KEY`, hexadecimal, of 16, 24 or 32 bytes. */
  readonly key: string
  /**
   * The 16 bytes that encryption of this source begins with. Default: derived from the source and the key, so that the
   * same source always gives the same URL, which is all that it tells; random ones tell nothing and spoil every cache.
   */
  readonly iv?: (source: string) => Uint8Array
}

export interface Settings {
  readonly endpoint: string
  /** Oldest first. */
  readonly pairs: readonly KeyPair[]
  readonly signatureSize: number
  readonly pro: boolean
  /** Empty where the server decides. */
  readonly extension: string
  readonly source: SourceRules
  readonly encryptionKey: Uint8Array<ArrayBuffer> | undefined
  readonly iv: Encryption['iv']
  readonly ttlSeconds: number | undefined
  readonly ttlWindowSeconds: number | undefined
  readonly presets: ReadonlySet<string> | undefined
  readonly onlyPresets: boolean
  readonly allowSecurityOptions: boolean
  readonly now: () => number
}

/** Checks what a builder is made from. @throws `invalid-argument`, never with a key, a salt or a source in it */
export function settingsFrom(options: ImgproxyOptions<Edition>): Settings {
  assertFactoryOptions<ImgproxyOptions<Edition>>(
    'imgproxy',
    options,
    {
      url: 'string',
      key: 'string or array',
      salt: 'string or array',
      signatureSize: 'number',
      edition: 'string',
      format: 'string',
      sourceEncoding: 'string',
      base64SplitSize: 'number',
      base64Padding: 'boolean',
      encryption: 'object',
      allowSignedSource: 'boolean',
      sourceQuerySeparator: 'string',
      sourceBaseUrl: 'string',
      ttlSeconds: 'number',
      ttlWindowSeconds: 'number',
      presets: 'array',
      onlyPresets: 'boolean',
      allowSecurityOptions: 'boolean',
      now: 'function',
    },
    'imgproxy',
  )
  const { edition = 'open-source', format = 'webp', onlyPresets = false, ttlSeconds } = options
  if (edition !== 'open-source' && edition !== 'pro') throw refusal("edition must be 'open-source' or 'pro'")
  const encoding = encodingOf(options, edition)
  const { encryption } = options
  if ((encryption === undefined) === (encoding === 'encrypted'))
    throw refusal("sourceEncoding: 'encrypted' and encryption: { key } belong together")
  if (onlyPresets && ttlSeconds !== undefined)
    throw refusal('ttlSeconds cannot be told a server that takes only presets')
  const window = options.ttlWindowSeconds ?? ttlSeconds
  return {
    endpoint: endpointOf(options.url),
    pairs: keyPairs(options.key, options.salt),
    signatureSize: within('signatureSize', options.signatureSize ?? 32, 1, 32),
    pro: edition === 'pro',
    extension: format === 'source' ? '' : formatName(format, 'format'),
    source: {
      encoding,
      base64SplitSize: within('base64SplitSize', options.base64SplitSize ?? 0, 0),
      base64Padding: options.base64Padding ?? false,
      allowSignedSource: options.allowSignedSource ?? false,
      querySeparator: options.sourceQuerySeparator ?? '?',
      baseUrl: options.sourceBaseUrl ?? '',
      usual: !options.sourceBaseUrl && ['', '?'].includes(options.sourceQuerySeparator ?? '?'),
    },
    encryptionKey: encryption === undefined ? undefined : encryptionKey(encryption.key),
    iv: encryption?.iv === undefined ? undefined : checkedIv(encryption.iv),
    ttlSeconds: ttlSeconds === undefined ? undefined : within('ttlSeconds', ttlSeconds, 1, 1e10),
    ttlWindowSeconds: window === undefined ? undefined : within('ttlWindowSeconds', window, 1, 1e10),
    presets: options.presets === undefined ? undefined : new Set(options.presets),
    onlyPresets,
    allowSecurityOptions: options.allowSecurityOptions ?? false,
    now: options.now ?? Date.now,
  }
}

/** Where URLs begin, without a slash at the end. @throws `invalid-argument` */
export function endpointOf(url: unknown, name = 'url'): string {
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:\/\/[^/?#]/i.test(url))
    throw refusal(`${name} must be a URL such as https://img.example.org`)
  const { username, password, origin, pathname } = new URL(url)
  if (username !== '' || password !== '')
    throw refusal(`${name} must hold no user name and no password: it goes to every viewer`)
  if (/[?#]/.test(url)) throw refusal(`${name} must have no query and no fragment`)
  return origin + pathname.replace(/\/+$/, '')
}

function encodingOf(options: ImgproxyOptions<Edition>, edition: Edition): SourceRules['encoding'] {
  const encoding = options.sourceEncoding ?? 'plain'
  if (!['plain', 'base64', 'encrypted'].includes(encoding))
    throw refusal("sourceEncoding must be 'plain', 'base64' or 'encrypted'")
  if (encoding === 'encrypted' && edition !== 'pro')
    throw refusal("encrypted sources are an option of imgproxy Pro: build with edition: 'pro'")
  return encoding
}

function encryptionKey(hex: unknown): Uint8Array<ArrayBuffer> {
  const key = hexBytes(hex, 'encryption.key')
  if (![16, 24, 32].includes(key.length)) throw refusal('encryption.key must be of 16, 24 or 32 bytes')
  return key
}

function checkedIv(iv: NonNullable<Encryption['iv']>): NonNullable<Encryption['iv']> {
  if (typeof iv !== 'function') throw refusal('encryption.iv must be a function')
  return source => {
    const bytes = iv(source)
    if (bytes instanceof Uint8Array && bytes.length === 16) return bytes
    throw refusal('encryption.iv must return 16 bytes')
  }
}

function within(name: string, value: number, low: number, high = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value
  const limits = high === Number.MAX_SAFE_INTEGER ? `of ${low} or more` : `from ${low} to ${high}`
  throw refusal(`${name} must be a whole number ${limits}`)
}
