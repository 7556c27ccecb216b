import { randomBytes } from 'node:crypto'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { MAX_EXPIRES_IN } from '../core/sign-requests.ts'
import { type CacheTimer, startTimer } from './cache-calls.ts'
import type { SignedUrlCache } from './signed-url-cache.ts'

export interface CacheSignedUrlsOptions {
  /** Where URLs are kept: `memoryCache()`, `redisCache(client)`, or a cache of yours. It is not closed with the provider. */
  cache: SignedUrlCache
  /**
   * Lifetime in seconds of GET and HEAD URLs where `expiresIn` is left out. Default: 30 days, or the longest that the
   * store signs, which on S3 is 7 days.
   */
  expiresIn?: number
  /**
   * A URL with fewer seconds left is not handed out any more, but signed anew; a lifetime that is not longer is never
   * kept. Default: 3,600. Give at least as long as a CDN or a page goes on using what it got.
   */
  marginSeconds?: number
  /**
   * Part of every key: letters, digits, `.`, `_` and `-`. Change it to forget everything at once, as when the credentials
   * that URLs were signed with are revoked. Default: `'1'`.
   */
  version?: string
  /**
   * Entries that this process remembers: of these, only whether they still hold is asked of the cache, which is less to
   * read. Default: 10,000, some 5 MB. 0: none.
   */
  localEntries?: number
  /** Milliseconds that the cache has for an answer; then URLs are signed without it. Default: 250. */
  cacheTimeoutMs?: number
  /** Milliseconds for which a cache that gave no answer is left alone. Default: 5,000. */
  coolDownMs?: number
  /**
   * Told of every failure of the cache, none of which fails a call, but `unsupported`, as of a package that is not
   * installed. What it throws is dropped.
   */
  onError?: (error: unknown) => void
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
  /** A clock in milliseconds that never goes back. Default: `performance.now`. */
  monotonic?: () => number
  /** Ids that are never used twice: 16 letters, digits, `_` and `-`. Default: random. */
  newGeneration?: () => string
  /** Default: `setTimeout`. */
  timer?: CacheTimer
}

export type CacheSettings = Required<CacheSignedUrlsOptions>

const THIRTY_DAYS = 30 * 24 * 3600

/** Options with their defaults. @throws `invalid-argument` */
export function cacheSettings(inner: StorageProvider, options: CacheSignedUrlsOptions): CacheSettings {
  assertFactoryOptions('cacheSignedUrls', options, {
    cache: 'object',
    expiresIn: 'number',
    marginSeconds: 'number',
    version: 'string',
    localEntries: 'number',
    cacheTimeoutMs: 'number',
    coolDownMs: 'number',
    onError: 'function',
    now: 'function',
    monotonic: 'function',
    newGeneration: 'function',
    timer: 'function',
  })
  const longest = longestOf(inner)
  const { cache, expiresIn = Math.min(longest, THIRTY_DAYS), marginSeconds = 3600, version = '1' } = options
  const { cacheTimeoutMs = 250, coolDownMs = 5000, localEntries = 10_000 } = options
  for (const method of ['getMany', 'setMany', 'deleteMany'] as const)
    if (typeof cache?.[method] !== 'function')
      throw cacheRefusal('needs a cache, such as memoryCache() or redisCache(client)')
  if (!(Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn <= longest))
    throw cacheRefusal(`expiresIn must be whole seconds from 1 to ${longest}`)
  if (!(marginSeconds >= 0)) throw cacheRefusal('marginSeconds must be a number of at least 0')
  if (expiresIn <= marginSeconds)
    throw cacheRefusal(
      `expiresIn, ${expiresIn} seconds, must be longer than marginSeconds, ${marginSeconds}: nothing would be kept`,
    )
  if (!/^[\w.-]*$/.test(version)) throw cacheRefusal('version may hold letters, digits, . _ and - only')
  for (const [name, value] of Object.entries({ cacheTimeoutMs, coolDownMs }))
    if (!(value > 0 && value < 2 ** 31)) throw cacheRefusal(`${name} must be milliseconds above 0`)
  if (!(Number.isSafeInteger(localEntries) && localEntries >= 0))
    throw cacheRefusal('localEntries must be a whole number of at least 0')
  return {
    cache,
    expiresIn,
    marginSeconds,
    version,
    localEntries,
    cacheTimeoutMs,
    coolDownMs,
    onError: options.onError ?? (() => {}),
    now: options.now ?? Date.now,
    monotonic: options.monotonic ?? (() => performance.now()),
    newGeneration: options.newGeneration ?? (() => randomBytes(12).toString('base64url')),
    timer: options.timer ?? startTimer,
  }
}

/** One year where the store has no limit, as for every lifetime. */
export function longestOf({ capabilities: { signedUrl } }: StorageProvider): number {
  return (signedUrl === false ? undefined : signedUrl.maxExpiresIn) ?? MAX_EXPIRES_IN
}

/** @throws `invalid-argument`, with the reason, where the cache would be of no use or would do harm */
export function assertPlace(inner: StorageProvider): void {
  const { signedUrl, layers } = inner.capabilities
  if (layers.includes('records'))
    throw cacheRefusal(
      'goes inside withRecords, as in withRecords(cacheSignedUrls(retry(s3(…))), engine): there a replaced file has a new key, and no URL outlives its bytes',
    )
  if (layers.includes('cacheSignedUrls')) throw cacheRefusal('there is a cache below already; keep one')
  if (signedUrl === false)
    throw cacheRefusal(
      'the provider signs no URLs, so there is nothing to cache; local and memory storage do with the option signing',
    )
  if (typeof inner.location !== 'string' || inner.location === '')
    throw cacheRefusal('the provider has no location, so its URLs could be taken for those of another store')
}

export function cacheRefusal(problem: string): StorageError {
  return new StorageError('invalid-argument', `cacheSignedUrls: ${problem}`)
}
