import { assertProvider } from '../core/assert-provider.ts'
import { keyBatches, mapBounded } from '../core/batches.ts'
import type { Capabilities } from '../core/capabilities.ts'
import { deadline, endedError } from '../core/deadline.ts'
import { type ErrorCode, isStorageError, type StorageError } from '../core/errors.ts'
import { assertKey, keyProblem } from '../core/keys.ts'
import type { KeyInput, SignedUrlOptions } from '../core/options.ts'
import type { KeyResult, SignedUrl, StorageProvider } from '../core/provider.ts'
import { isFileName, reads } from '../core/sign-requests.ts'
import { forward, watchedKeys } from '../decorators/forward.ts'
import { CacheCalls } from './cache-calls.ts'
import { assertPlace, type CacheSignedUrlsOptions, cacheSettings, longestOf } from './cache-options.ts'
import { generationKey, type Wish } from './entry.ts'
import { Invalidations } from './invalidations.ts'
import { type Sign, UrlCache } from './url-cache.ts'

const NAME = 'cacheSignedUrls'
/** Keys of one question to the cache: as many as S3 and Supabase sign at once. */
const BATCH = 1000
/** Batches under way at once in a call for more. */
const BATCHES_AT_ONCE = 4

/**
 * A provider that hands out the URL it has signed before, for as long as that lives, so that browsers and CDNs can keep
 * what it leads to. GET and HEAD URLs are kept, by the store's `location`, the object's key, the method, the lifetime and
 * the name to save under; PUT and DELETE pass through. Upload, delete, copy and move through it end the URLs of the
 * object, in every process that shares the cache: what is being signed meanwhile is not kept.
 *
 * A cache that fails, hangs or is not there costs no call its success: URLs are signed without it, and what it could
 * not be told is told later. Only where a package that it needs is not installed, `signedUrl` and `signedUrls` fail with
 * `unsupported`.
 *
 * Streams: bodies pass through untouched.
 *
 * @throws `invalid-argument` around `withRecords`, around another `cacheSignedUrls`, around a provider that signs no
 *   URLs, and for an option that is unknown or wrong
 * @example
 * ```ts
 * const files = cacheSignedUrls(retry(s3(options)), { cache: redisCache(redis) })
 * const { url } = await files.signedUrl('a/photo.jpg') // the same for days
 * ```
 */
export function cacheSignedUrls(inner: StorageProvider, options: CacheSignedUrlsOptions): StorageProvider {
  assertProvider(NAME, inner)
  assertPlace(inner)
  const settings = cacheSettings(inner, options)
  const { expiresIn, marginSeconds, version, now, monotonic, newGeneration } = settings
  const callSettings = { ...settings, timeoutMs: settings.cacheTimeoutMs }
  const calls = new CacheCalls(settings.cache, callSettings)
  const invalidations = new Invalidations(calls, callSettings)
  const urls = new UrlCache(calls, invalidations, {
    location: inner.location,
    version,
    marginMs: marginSeconds * 1000,
    now,
    monotonic,
    newGeneration,
    localEntries: settings.localEntries,
  })
  let closed = false

  /** How a URL is asked for, where such are kept; whatever else, mistakes included, is the inner provider's matter. */
  function wishOf(asked: SignedUrlOptions | undefined, { signedUrl }: Capabilities): Wish | undefined {
    if (closed || signedUrl === false) return undefined
    for (const option in asked) if (!KNOWN.has(option)) return undefined
    const { method = 'GET', expiresIn: seconds = expiresIn, download, contentType } = asked ?? {}
    if (!reads(method) || !signedUrl.methods.includes(method)) return undefined
    if (!(Number.isInteger(seconds) && seconds > marginSeconds && seconds <= longestOf(inner)))
      return undefined
    if (contentType !== undefined) return undefined
    if (download === undefined || download === false)
      return { method, expiresIn: seconds, download: undefined }
    const named = method === 'GET' && (download === true || isFileName(download))
    return named ? { method, expiresIn: seconds, download } : undefined
  }

  /** The options with the lifetime that is left out. */
  function filled(asked: SignedUrlOptions | undefined): SignedUrlOptions | undefined {
    return isOptions(asked) && reads(asked?.method ?? 'GET') && asked?.expiresIn === undefined
      ? { ...asked, expiresIn }
      : asked
  }

  async function within<T>(
    operation: 'signedUrl' | 'signedUrls',
    asked: SignedUrlOptions | undefined,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const ends = deadline(asked, operation, inner.name)
    try {
      return await work(ends.signal)
    } catch (error) {
      throw ends.signal?.aborted ? endedError(ends.signal, operation, inner.name) : error
    } finally {
      ends.clear()
    }
  }

  async function signedUrl(key: string, asked?: SignedUrlOptions): Promise<SignedUrl> {
    const { capabilities } = inner
    const wish = isOptions(asked) ? wishOf(asked, capabilities) : undefined
    if (wish === undefined || keyProblem(key, capabilities.keys) !== undefined)
      return inner.signedUrl(key, filled(asked))
    const sign: Sign = async (_, signal) => {
      try {
        return [{ key, ok: true, value: await inner.signedUrl(key, bare(wish, signal)) }]
      } catch (error) {
        return [{ key, ok: false, error: error as StorageError }]
      }
    }
    const [result] = await within('signedUrl', asked, signal => urls.urls([key], wish, sign, signal))
    if (!result!.ok) throw result!.error
    return result!.value
  }

  async function signedUrls(keys: KeyInput, asked?: SignedUrlOptions): Promise<KeyResult<SignedUrl>[]> {
    const { capabilities } = inner
    const wish = isOptions(asked) ? wishOf(asked, capabilities) : undefined
    if (wish === undefined) return inner.signedUrls(keys, filled(asked))
    const sign: Sign = async (some, signal) => {
      try {
        return await inner.signedUrls(some, bare(wish, signal))
      } catch (error) {
        return some.map(key => ({ key, ok: false, error: error as StorageError }))
      }
    }
    /** Bad keys fail alone and are not asked for. */
    const batch = async (some: readonly unknown[], signal: AbortSignal | undefined) => {
      if (signal?.aborted) throw signal.reason
      const good = some.filter(key => keyProblem(key, capabilities.keys) === undefined) as string[]
      const found = good.length === 0 ? [] : await urls.urls(good, wish, sign, signal)
      if (good.length === some.length) return found
      let next = 0
      return some.map(key => keyFailure(key, capabilities, inner.name) ?? found[next++]!)
    }
    return within('signedUrls', asked, async signal => {
      if (Array.isArray(keys) && keys.length <= BATCH && keys.every(key => typeof key === 'string'))
        return batch(keys, signal)
      const batches = keyBatches(keys, BATCH, 'signedUrls', inner.name)
      const all = await mapBounded(batches, BATCHES_AT_ONCE, entries =>
        batch(
          entries.map(({ key }) => key),
          signal,
        ),
      )
      return all.flat()
    })
  }

  /** What may have changed these objects; afterwards their URLs are forgotten, but where it certainly changed nothing. */
  async function changing<T>(keys: readonly string[], work: () => Promise<T>, inSteps = false): Promise<T> {
    try {
      const result = await work()
      await forget(keys)
      return result
    } catch (error) {
      if (inSteps || mayHaveChanged(error)) await forget(keys)
      throw error
    }
  }

  function forget(keys: readonly unknown[]): Promise<void> {
    const objects = keys
      .filter(key => typeof key === 'string')
      .map(key => generationKey(version, inner.location, key))
    return invalidations.add([...new Set(objects)])
  }

  const outer = forward(inner, {
    get capabilities() {
      const { layers, signedUrl: able, ...rest } = inner.capabilities
      return {
        ...rest,
        layers: [NAME, ...layers],
        signedUrl: able && { ...able, defaultExpiresIn: expiresIn },
      }
    },
    async probe(asked) {
      await inner.probe(asked)
      return outer.capabilities
    },
    signedUrl,
    signedUrls,
    upload: (key, body, asked) => changing([key], () => inner.upload(key, body, asked)),
    uploadResumable: (key, source, asked) => changing([key], () => inner.uploadResumable(key, source, asked)),
    copy: (from, to, asked) => changing([to], () => inner.copy(from, to, asked)),
    // Its second half may be what failed: a move that was refused to delete has copied.
    move: (from, to, asked) => changing([from, to], () => inner.move(from, to, asked), true),
    delete: (key, asked) => changing([key], () => inner.delete(key, asked)),
    async deleteMany(keys, asked) {
      const taken: unknown[] = []
      const watched = watchedKeys(keys, entry => taken.push(typeof entry === 'string' ? entry : entry?.key))
      try {
        const results = await inner.deleteMany(watched, asked)
        await forget(
          results.filter(one => one.status !== 'error' || mayHaveChanged(one.error)).map(({ key }) => key),
        )
        return results
      } catch (error) {
        await forget(taken)
        throw error
      }
    },
    async close() {
      closed = true
      await invalidations.close()
      await inner.close()
    },
  })
  return outer
}

const KNOWN: ReadonlySet<string> = new Set([
  'expiresIn',
  'method',
  'download',
  'contentType',
  'signal',
  'timeoutMs',
])

function isOptions(asked: unknown): boolean {
  return asked === undefined || (typeof asked === 'object' && asked !== null && !Array.isArray(asked))
}

function bare({ method, expiresIn, download }: Wish, signal: AbortSignal | undefined): SignedUrlOptions {
  return {
    method,
    expiresIn,
    ...(download === undefined ? {} : { download }),
    ...(signal === undefined ? {} : { signal }),
  }
}

function keyFailure(
  key: unknown,
  { keys }: Capabilities,
  provider: string,
): KeyResult<SignedUrl> | undefined {
  try {
    assertKey(key, keys, 'signedUrls', provider)
    return undefined
  } catch (error) {
    return { key: String(key), ok: false, error: error as StorageError }
  }
}

/** Answers that say for certain that everything is as it was, unless an earlier try's answer was lost. */
const CHANGED_NOTHING: readonly ErrorCode[] = [
  'not-found',
  'already-exists',
  'precondition-failed',
  'invalid-key',
  'invalid-argument',
  'unauthenticated',
  'permission-denied',
  'too-large',
  'rate-limited',
  'checksum-mismatch',
  'unsupported',
]

function mayHaveChanged(error: unknown): boolean {
  return !(isStorageError(error, ...CHANGED_NOTHING) && error.uncertain !== true)
}
