import { createHash } from 'node:crypto'
import { assertProvider } from '../../core/assert-provider.ts'
import { isStorageError, StorageError, unsupported } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type {
  KeyInput,
  KeyResult,
  ObjectInfo,
  OperationOptions,
  StorageProvider,
} from '../../core/provider.ts'
import { readImageMetadata } from '../image-metadata.ts'
import { windowEnd } from '../imgproxy/expiry.ts'
import type { Edition, Imgproxy } from '../imgproxy/index.ts'
import { type ImageSource, sourceReader } from './image-source.ts'
import { type ImageTtls, knownTtls } from './image-ttls.ts'
import { type ImageVariants, type VariantUrls, variantWriter } from './image-variants.ts'
import { readRecordedImages, readStoredImages, type SignedImage } from './signed-images.ts'

/** What a page needs to show one image. Every variant has its URL: `thumb` is `thumbUrl`. */
export type ImageUrlSet<Variants = Record<never, never>> = {
  /** What the application calls the image; its key where it says nothing else. */
  imageId: string
  /** The original, signed. */
  url: string
} & VariantUrls<Variants> & {
    /** `''` where none is known. */
    blurhash: string
    /** Pixels as seen; `null` where it is not known. */
    width: number | null
    height: number | null
  }

export interface ImageUrlsOptions<
  Variants extends ImageVariants<E> = Record<never, never>,
  E extends Edition = 'open-source',
> {
  /** Where imgproxy gets an image from. Default: `'signed-url'`, for which the builder needs `allowSignedSource: true`. */
  source?: ImageSource
  /** Lifetime of `url` in seconds. Default: the provider's own, as `cacheSignedUrls` has; else 7 days, or what it signs at most. */
  expiresIn?: number
  /** What the application calls an image. Default: its key. */
  imageId?: (image: SignedImage) => string
  /** Changes `origin`, `thumb` and `blur`, takes them away by `false`, and adds others. */
  variants?: Variants
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

export interface ImageUrls<Variants = Record<never, never>> {
  /**
   * The URL set of one image.
   *
   * @throws `not-found`; `invalid-argument` for what is no image; what the provider throws
   */
  one(key: string, options?: OperationOptions): Promise<ImageUrlSet<Variants>>
  /**
   * The URL sets of many images, a result or an error per key, in order. With records it is one query and one lookup of
   * signed URLs for every 500 of them; without, a bounded number of requests at once beside the signing.
   */
  many(keys: KeyInput, options?: OperationOptions): Promise<KeyResult<ImageUrlSet<Variants>>[]>
  /** The lifetimes that are known here, for `checkImageTtls`. */
  readonly ttls: ImageTtls
}

/**
 * The URL sets of images: the original, imgproxy's variants, blurhash and size. Nothing is downloaded: size and blurhash
 * are the metadata that `withImageMetadata` has written.
 *
 * The same image has the same URLs at each call, so that browsers and CDNs keep them: with signed URLs that are cached, and
 * ends of imgproxy's URLs that do not move with the clock. A replaced image has others.
 *
 * @param provider what `withRecords` returned, or any provider that signs URLs
 * @throws `invalid-argument` for unknown options, a source or a variant that can't be meant; `unsupported` for a provider
 *   that signs no URLs
 *
 * @example
 * ```ts
 * const images = imgproxy({ url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' })
 * const urls = imageUrls(files, images, {
 *   source: 's3://photos/',
 *   variants: { card: { resize: 'fill', width: 320, height: 240 } },
 * })
 * const { url, thumbUrl, cardUrl, blurhash } = await urls.one('a/photo.jpg')
 * const feed = await urls.many(['a/photo.jpg', 'b/photo.jpg'])
 * ```
 */
export function imageUrls<
  const Variants extends ImageVariants<E> = Record<never, never>,
  E extends Edition = 'open-source',
>(
  provider: StorageProvider,
  images: Imgproxy<E>,
  options: ImageUrlsOptions<Variants, E> = {},
): ImageUrls<Variants> {
  assertArguments(provider, images, options as object)
  const { source = 'signed-url', imageId, now = Date.now } = options
  const recorded = readRecordedImages(provider)
  const read = recorded ?? readStoredImages(provider)
  const sourceOf = sourceReader(source, provider.capabilities, recorded !== undefined)
  const writeVariants = variantWriter(images as Imgproxy, options.variants as ImageVariants | undefined)
  if (source === 'signed-url') writeVariants({}, SIGNED_SAMPLE, {})

  /** When URLs of this source end, in seconds since 1970. The same at each call, else no cache would ever hit. */
  function endOf(image: SignedImage, address: string): number | undefined {
    const { ttlSeconds: ttl, ttlWindowSeconds: window } = images
    const own = ttl === undefined ? undefined : windowEnd(now(), ttl, window ?? ttl, address)
    if (address !== image.signedUrl.url) return own
    // imgproxy must not show what it can't fetch any more.
    return Math.min(own ?? Number.POSITIVE_INFINITY, Math.floor(image.signedUrl.expiresAt.getTime() / 1000))
  }

  function urlSet(image: SignedImage): ImageUrlSet<Variants> {
    assertImage(image.info)
    const address = sourceOf(image)
    const set: Record<string, unknown> = {
      imageId: imageId === undefined ? image.key : text(imageId(image), 'imageId must return a string'),
      url: image.signedUrl.url,
    }
    writeVariants(set, address, {
      expires: endOf(image, address),
      // A physical key is never written twice: it is its own version.
      cacheBuster: recorded === undefined ? versionOf(image.info) : undefined,
    })
    const { blurhash, width, height } = readImageMetadata(image.info)
    set.blurhash = blurhash
    set.width = width
    set.height = height
    return set as ImageUrlSet<Variants>
  }

  function result(found: KeyResult<Omit<SignedImage, 'key'>>): KeyResult<ImageUrlSet<Variants>> {
    if (!found.ok) return found
    const { key, value } = found
    try {
      return { key, ok: true, value: urlSet({ key, ...value }) }
    } catch (error) {
      return { key, ok: false, error: failure(error, key, provider.name) }
    }
  }

  async function many(keys: KeyInput, operation: OperationOptions = {}) {
    const found = await read(keys, operation, lifetime(provider, options.expiresIn))
    return found.map(result)
  }

  return {
    many,
    async one(key, operation) {
      const [only] = await many([key], operation)
      if (!only!.ok) throw only!.error
      return only!.value
    },
    get ttls() {
      return knownTtls(provider, images, source, lifetime(provider, options.expiresIn))
    },
  }
}

function text(value: unknown, demand: string): string {
  if (typeof value === 'string') return value
  throw new StorageError('invalid-argument', `imageUrls: ${demand}`)
}

/** A builder that refuses signed sources refuses this, when the set is made and not at its first image. */
const SIGNED_SAMPLE = 'https://example.org/a.jpg?token=a'

const WEEK = 7 * 24 * 60 * 60

/** What is asked for; nothing where the provider has a lifetime of its own. */
function lifetime({ capabilities }: StorageProvider, expiresIn: number | undefined): number | undefined {
  const able = capabilities.signedUrl
  if (expiresIn !== undefined || able === false || able.defaultExpiresIn !== undefined) return expiresIn
  return Math.min(WEEK, able.maxExpiresIn ?? WEEK)
}

/** What `cb` may hold, and the same for the same etag. Without an etag, time and size tell one content from another. */
function versionOf({ etag, lastModified, size }: ObjectInfo): string {
  const version = etag ?? `${lastModified?.getTime()}-${size}`
  return createHash('sha256').update(version).digest('base64url').slice(0, VERSION_CHARACTERS)
}

/** 72 bits: two contents of one key are never taken for one. */
const VERSION_CHARACTERS = 12

/** Types that say nothing: the name of the upload had no extension. imgproxy looks at the bytes. */
const UNKNOWN_TYPES = ['application/octet-stream', 'binary/octet-stream']

/** @throws `invalid-argument` for what imgproxy would refuse by its type */
function assertImage({ contentType }: ObjectInfo): void {
  const type = contentType?.replace(/\s*;.*$/s, '').toLowerCase()
  if (type === undefined || type.startsWith('image/') || UNKNOWN_TYPES.includes(type)) return
  throw new StorageError('invalid-argument', `imageUrls: this is no image but ${type}`)
}

function failure(error: unknown, key: string, provider: string): StorageError {
  const { code, message } = isStorageError(error)
    ? error
    : {
        code: 'invalid-argument' as const,
        message: `imageUrls: a function of its options failed${error instanceof Error ? `: ${error}` : ''}`,
      }
  return new StorageError(code, message, { operation: 'imageUrls', key, provider, cause: error })
}

function assertArguments(provider: StorageProvider, images: unknown, options: object): void {
  assertProvider('imageUrls', provider)
  if (typeof (images as { preset?: unknown } | undefined)?.preset !== 'function')
    throw new StorageError(
      'invalid-argument',
      'imageUrls: the second argument must be what imgproxy() returns',
    )
  assertFactoryOptions<Required<ImageUrlsOptions>>('imageUrls', options as Required<ImageUrlsOptions>, {
    source: 'string or function',
    expiresIn: 'number',
    imageId: 'function',
    variants: 'object',
    now: 'function',
  })
  if (provider.capabilities.signedUrl === false)
    throw unsupported(
      'imageUrls',
      provider.name,
      'this provider signs no URLs; local and memory storage do with the option signing',
    )
}
