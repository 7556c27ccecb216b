import type { ProcessedImage, ProcessImageOptions } from './image-options.ts'
import { refused } from './refused.ts'

export interface ImageProcessorOptions {
  /**
   * Starts the worker, whose script calls `serveImages(self)`; or `false` for the main thread always. Default: a worker
   * from the source in this library, by a `blob:` URL.
   */
  worker?: false | (() => Worker)
  /** The worker ends when it had nothing to do for so many milliseconds. Default: 30,000. */
  idleMs?: number
}

export interface ImageProcessor {
  /** As `processImage`. */
  process(file: Blob, options?: ProcessImageOptions): Promise<ProcessedImage>
  /** Ends the worker; images under way or waiting end as `aborted`. The next image starts it again. */
  close(): void
}

/**
 * A processor with a worker of its own. It takes one image at a time. What it needs is loaded with the first one: a page
 * that only shows images, or uploads other files, does without.
 *
 * @example
 * ```ts
 * const images = imageProcessor({ worker: () => new Worker('/image-worker.js', { type: 'module' }) })
 * const { blob, blurhash } = await images.process(file, { maxWidth: 2000 })
 * ```
 */
export function imageProcessor(options: ImageProcessorOptions = {}): ImageProcessor {
  let queue: Promise<ImageProcessor> | undefined
  return {
    async process(file, wish) {
      queue ??= import('./image-queue.ts').then(
        ({ imageQueue }) => imageQueue(options),
        () => {
          queue = undefined
          throw refused(
            'processImage',
            'the part of this library for photos could not be loaded',
            'unavailable',
          )
        },
      )
      return (await queue).process(file, wish)
    },
    close() {
      queue?.then(
        images => images.close(),
        () => {},
      )
    },
  }
}
