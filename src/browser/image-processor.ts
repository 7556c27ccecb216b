import { imageSettings, type ProcessedImage, type ProcessImageOptions } from './image-options.ts'
import { answerOf, ownWorker, startedWorker } from './image-worker.ts'
import { type PixelAnswer, type PixelJob, pixelWork } from './pixel-work.ts'
import { untilAborted } from './until-aborted.ts'
import { workOnImage } from './work-on-image.ts'

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
 * A processor with a worker of its own. It takes one image at a time: more would need the memory of several photos, which
 * phones do not have.
 *
 * @example
 * ```ts
 * const images = imageProcessor({ worker: () => new Worker('/image-worker.js', { type: 'module' }) })
 * const { blob, blurhash } = await images.process(file, { maxWidth: 2000 })
 * ```
 */
export function imageProcessor(options: ImageProcessorOptions = {}): ImageProcessor {
  let { worker: start = ownWorker, idleMs = 30_000 } = options
  let worker: Worker | undefined
  let closing = new AbortController()
  let turn: Promise<unknown> = Promise.resolve()
  let idle: ReturnType<typeof setTimeout>

  function endWorker(): void {
    worker?.terminate()
    worker = undefined
  }

  async function pixels(job: PixelJob, onPage: boolean, ended: AbortSignal): Promise<PixelAnswer> {
    if (start && !onPage) {
      worker ??= await startedWorker(start, ended)
      const answer = worker && (await answerOf(worker, ended, job))
      ended.throwIfAborted()
      if (answer && answer.failure !== 'unsupported') return answer
      // What keeps this image from the worker will keep the next one, too.
      start = false
      endWorker()
    }
    return pixelWork()(...job)
  }

  return {
    process: (file, wish = {}) =>
      untilAborted('processImage', [wish.signal, closing.signal], async ended => {
        const settings = imageSettings(file, wish)
        const done = turn.then(() => {
          clearTimeout(idle)
          ended.throwIfAborted()
          return workOnImage(file, settings, (...job) => pixels(job, wish.worker === false, ended))
        })
        turn = done
          .catch(() => {})
          .then(() => {
            if (ended.aborted) endWorker()
            idle = setTimeout(endWorker, idleMs)
          })
        return done
      }),
    close() {
      closing.abort()
      closing = new AbortController()
      endWorker()
    },
  }
}
