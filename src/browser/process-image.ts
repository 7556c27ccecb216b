import type { ProcessedImage, ProcessImageOptions } from './image-options.ts'
import { type ImageProcessor, imageProcessor } from './image-processor.ts'

/**
 * Makes a photo ready to be uploaded: turned as EXIF says, shrunk where it is larger than wished, with its size and
 * blurhash. In a worker, so that the page does not stall; on the main thread where workers or canvases in them are
 * missing or forbidden, with the same result. All calls of a page share one worker and wait for each other; it ends
 * when it is idle.
 *
 * Nothing is lost on the way: a file that needs no change is handed back itself, an animation is never cut down to its
 * first frame, and where the browser gives no true pixels the file stays as it is.
 *
 * @throws `invalid-argument` for what is no image, is damaged, or for wrong options; `unsupported` for an image that this
 *   browser can't decode, and SVG; `too-large` above `maxBytes` or `maxPixels`; `aborted`; `unavailable` where the file
 *   can't be read any more
 *
 * @example
 * ```ts
 * const { blob, type, width, height, blurhash } = await processImage(file, { maxWidth: 2000 })
 * ```
 */
export function processImage(file: Blob, options?: ProcessImageOptions): Promise<ProcessedImage> {
  shared ??= imageProcessor()
  return shared.process(file, options)
}

let shared: ImageProcessor | undefined

/** Ends the worker that `processImage` uses; images under way or waiting end as `aborted`. */
export function closeImages(): void {
  shared?.close()
}
