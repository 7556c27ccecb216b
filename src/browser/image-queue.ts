import { imageSettings, type ProcessedImage, type ProcessImageOptions } from './image-options.ts'
import type { ImageProcessor, ImageProcessorOptions } from './image-processor.ts'
import { type ImageThread, imageThread } from './image-thread.ts'
import { type PixelAnswer, type PixelWish, pixelWork } from './pixel-work.ts'
import { refused } from './refused.ts'
import { workOnImage } from './work-on-image.ts'

/**
 * Images one after the other: more at once would need the memory of several photos, which phones do not have. All that
 * photos need hangs on this module, which is loaded with the first one.
 */
export function imageQueue({ worker, idleMs = 30_000 }: ImageProcessorOptions = {}): ImageProcessor {
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
