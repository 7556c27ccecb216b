import { plainError } from '../core/plain-error.ts'
import { type PlaceholderOptions, placeholder } from './placeholder.ts'

/**
 * Draws a blurhash on a canvas and returns the canvas. Its bitmap becomes 32×32, or as `options` say: stretch it by CSS,
 * or as a texture.
 *
 * @throws `invalid-argument` for a text that is no blurhash, or a size that is not whole and positive; `unsupported` for
 *   a canvas that gives no 2d context
 *
 * @example
 * ```ts
 * drawBlurhash(blurhash, canvas)
 * const texture = Texture.from(drawBlurhash(blurhash, document.createElement('canvas'))) // PixiJS
 * ```
 */
export function drawBlurhash<Canvas extends HTMLCanvasElement | OffscreenCanvas>(
  hash: string,
  canvas: Canvas,
  options?: PlaceholderOptions,
): Canvas {
  const { pixels, width, height } = placeholder(hash, options)
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | null
  if (context === null) throw plainError('drawBlurhash', 'no 2d context', 'unsupported')
  context.putImageData(new ImageData(pixels, width, height), 0, 0)
  return canvas
}
