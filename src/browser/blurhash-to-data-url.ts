import { type PlaceholderOptions, placeholder } from './placeholder.ts'

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
export function blurhashToDataURL(hash: string, options?: PlaceholderOptions): string {
  if (hash === '') return ''
  const { pixels, width, height } = placeholder(hash, options)
  // Of the formats that all browsers show BMP alone needs neither a compressor nor a checksum. After the two letters its
  // headers are 13 numbers: a negative height says that the upper row comes first, 24 are the bits of a pixel.
  const fileBytes = 54 + (width * 3 + (width % 4)) * height
  const headers = [fileBytes, 0, 54, 40, width, -height, 1 | (24 << 16), 0, 0, 0, 0, 0, 0]
  let binary = `BM${String.fromCharCode(...new Uint8Array(new Int32Array(headers).buffer))}`
  for (let at = 0, x = 0; at < pixels.length; at += 4) {
    binary += String.fromCharCode(pixels[at + 2]!, pixels[at + 1]!, pixels[at]!)
    // Rows end at a multiple of four bytes.
    if (++x % width === 0) binary += '\0'.repeat(width % 4)
  }
  return `data:image/bmp;base64,${btoa(binary)}`
}
