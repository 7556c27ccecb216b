import { decodeBlurhash } from '../images/blurhash/decode.ts'
import { bmp } from './bmp.ts'

export interface PlaceholderOptions {
  /** Pixels, for the page to scale up. Default: 32. */
  width?: number
  /** Default: 32. */
  height?: number
  /** Contrast: 1, the default, is as it was; more is stronger. */
  punch?: number
}

/**
 * A blurhash as the URL of a small BMP: for an `img`, a CSS background, or a texture. Without a canvas, so it works at
 * once, and on a server that renders the page. '' gives '': an image without a blurhash has no placeholder.
 *
 * @throws `invalid-argument` for any other text that is no blurhash, or a size that is not whole and positive
 *
 * @example
 * ```ts
 * image.style.backgroundImage = `url(${blurhashToDataURL(blurhash)})`
 * ```
 */
export function blurhashToDataURL(hash: string, options: PlaceholderOptions = {}): string {
  if (hash === '') return ''
  const { width = 32, height = 32, punch = 1 } = options
  const bytes = bmp(decodeBlurhash(hash, width, height, punch), width, height)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return `data:image/bmp;base64,${btoa(binary)}`
}
