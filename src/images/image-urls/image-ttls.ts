import type { StorageProvider } from '../../core/provider.ts'
import type { Imgproxy } from '../imgproxy/index.ts'
import type { ImageSource } from './image-source.ts'

/** How long each part of a delivery keeps what, all in seconds. What is absent is as its line says. */
export interface ImageTtls {
  /** Whether imgproxy fetches originals by their signed URLs, or from where they stay. */
  source: 'signed-url' | 'stable'
  /** Lifetime of a signed URL. */
  expiresIn: number
  /** The longest that the provider signs. Absent: no limit. */
  maxExpiresIn?: number
  /** Whether a signed URL stays the same between calls: by `cacheSignedUrls`, or `windowSeconds` of S3. */
  cached: boolean
  /**
   * What a URL has left at least when it is handed out: `marginSeconds` of `cacheSignedUrls`; with `windowSeconds` of S3,
   * `expiresIn` less these. Default: 3,600
   */
  marginSeconds?: number
  /** `ttlSeconds` of the builder (`IMGPROXY_TTL` in its environment). Absent: its URLs do not end by themselves. */
  imageSeconds?: number
  /** The server's `IMGPROXY_TTL`: the Cache-Control of images. Default: 31,536,000, as the server's. */
  imgproxySeconds?: number
  /** `max-age` in the Cache-Control of the originals. Absent: none is sent. */
  originalSeconds?: number
  /** A rule of the CDN that keeps answers so long, whatever Cache-Control they have. Absent: it keeps to their header. */
  cdnSeconds?: number
  /** How long a page or an answer of the API that holds these URLs is kept or shown. Absent: not beyond the moment. */
  pageSeconds?: number
}

const CACHE_LAYER = 'cacheSignedUrls'

/** What provider and builder tell by themselves. */
export function knownTtls(
  { capabilities }: StorageProvider,
  { ttlSeconds }: Pick<Imgproxy, 'ttlSeconds'>,
  source: ImageSource,
  expiresIn: number | undefined,
): ImageTtls {
  const able = capabilities.signedUrl || undefined
  return {
    source: source === 'signed-url' ? 'signed-url' : 'stable',
    expiresIn: expiresIn ?? able?.defaultExpiresIn ?? 0,
    cached: capabilities.layers.includes(CACHE_LAYER),
    ...(able?.maxExpiresIn === undefined ? {} : { maxExpiresIn: able.maxExpiresIn }),
    ...(ttlSeconds === undefined ? {} : { imageSeconds: ttlSeconds }),
  }
}
