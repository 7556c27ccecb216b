import { isBlurhash } from './blurhash/index.ts'
import type { ImageDescription } from './image-description.ts'

/** Names of the metadata that tell of an image. */
export const IMAGE_METADATA_NAMES = ['width', 'height', 'blurhash', 'animated', 'alpha'] as const

/** What is known of an image from its metadata. Metadata is text that anyone may have written: nothing here throws. */
export interface ImageMetadata {
  /** `null` where it is absent or no whole positive number. */
  width: number | null
  height: number | null
  /** `''` where it is absent or malformed. */
  blurhash: string
  animated: boolean
  alpha: boolean
}

/**
 * A description as metadata of an object: `width`, `height` and `blurhash` as text, `animated` and `alpha` as `true`
 * where they hold. What is unknown or does not hold is absent. At most 250 bytes.
 *
 * @example
 * ```ts
 * const metadata = imageMetadata(await describe(bytes))
 * await files.upload('a/photo.jpg', bytes, { metadata })
 * ```
 */
export function imageMetadata(description: ImageDescription): Record<string, string> {
  const { width, height, blurhash, animated, alpha } = description
  return {
    width: String(width),
    height: String(height),
    ...(blurhash ? { blurhash } : {}),
    ...(animated ? { animated: 'true' } : {}),
    ...(alpha ? { alpha: 'true' } : {}),
  }
}

/**
 * Reads what `imageMetadata` wrote, from the answer of `info()` or from a record, without a download.
 *
 * @example
 * ```ts
 * const { width, height, blurhash } = readImageMetadata(await files.info('a/photo.jpg'))
 * ```
 */
export function readImageMetadata(info: { metadata?: Readonly<Record<string, string>> }): ImageMetadata {
  const { width, height, blurhash, animated, alpha } = info.metadata ?? {}
  return {
    width: pixels(width),
    height: pixels(height),
    blurhash: isBlurhash(blurhash) ? blurhash : '',
    animated: animated === 'true',
    alpha: alpha === 'true',
  }
}

function pixels(text: string | undefined): number | null {
  return typeof text === 'string' && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null
}
