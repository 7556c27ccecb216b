import { imageSettings, type ProcessedImage, type ProcessImageOptions } from './image-options.ts'
import { type ImageThread, imageThread } from './image-thread.ts'
import { type PixelAnswer, type PixelWish, pixelWork } from './pixel-work.ts'
import { refused } from './refused.ts'
import { workOnImage } from './work-on-image.ts'

export interface ImageProcessorOptions {
  /**
   * Starts the worker, whose script calls `serveImages(self)`; or `false` for the main thread always. Default: a worker
   * from the source in this bundle, by a `blob:` URL.
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
 * A processor with a worker of its own. It takes one image at a time: more would need the memory of several photos
 * at once, which phones do not have.
 *
 * @example
 * ```ts
 * const images = imageProcessor({ worker: () => new Worker('/image-worker.js', { type: 'module' }) })
 * const { blob, blurhash } = await images.process(file, { maxWidth: 2000 })
 * ```
 */
export function imageProcessor({ worker, idleMs = 30_000 }: ImageProcessorOptions = {}): ImageProcessor {
  const open = new Set<AbortController>()
  let thread: ImageThread | undefined
  let withoutThread = worker === false
  let turn: Promise<unknown> = Promise.resolve()
  let idle: ReturnType<typeof setTimeout>

  function endThread(): void {
    clearTimeout(idle)
    thread?.end()
    thread = undefined
  }

  async function pixels(
    file: Blob,
    wish: PixelWish,
    onPage: boolean,
    signal: AbortSignal,
  ): Promise<PixelAnswer> {
    signal.throwIfAborted()
    if (!onPage && !withoutThread) {
      thread ??= await imageThread(worker || undefined)
      signal.throwIfAborted()
      const answer = await thread?.work(file, wish, signal)
      if (answer && !('failure' in answer && answer.failure === 'not-here')) return answer
      // What keeps this image from the worker will keep the next one, too.
      withoutThread = true
      endThread()
    }
    return pixelWork()(file, wish)
  }

  function process(file: Blob, options: ProcessImageOptions = {}): Promise<ProcessedImage> {
    return new Promise((resolve, reject) => {
      const settings = imageSettings(file, options)
      const { signal } = settings
      const end = new AbortController()
      const onAbort = () => end.abort(refused('processImage', 'aborted', 'aborted'))
      // At once, also while it waits for its turn.
      end.signal.addEventListener('abort', () => reject(end.signal.reason))
      signal?.addEventListener('abort', onAbort)
      if (signal?.aborted) onAbort()
      open.add(end)
      clearTimeout(idle)
      turn = turn
        .then(() => end.signal.throwIfAborted())
        .then(() => workOnImage(file, settings, (...job) => pixels(...job, !settings.worker, end.signal)))
        .then(resolve, reject)
        .then(() => {
          signal?.removeEventListener('abort', onAbort)
          open.delete(end)
          if (end.signal.aborted) endThread()
          if (open.size === 0) idle = setTimeout(endThread, idleMs)
        })
    })
  }

  return {
    process,
    close() {
      for (const end of open) end.abort(refused('processImage', 'aborted', 'aborted'))
      endThread()
    },
  }
}
