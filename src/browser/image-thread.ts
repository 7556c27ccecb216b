import { type PixelAnswer, type PixelWish, pixelWork } from './pixel-work.ts'

/** A worker that has not said a word for so long was blocked without an error. */
const START_MS = 5000

/** One worker that takes one job at a time. */
export interface ImageThread {
  /** After `signal` has ended the worker has ended, too. */
  work(file: Blob, wish: PixelWish, signal: AbortSignal): Promise<PixelAnswer>
  end(): void
}

/** `undefined` where workers are missing or refused. */
export async function imageThread(start = fromSource): Promise<ImageThread | undefined> {
  let worker: Worker
  try {
    worker = start()
  } catch {
    // No such class, a policy that forbids it, or a script of another origin.
    return undefined
  }
  let answer: (value: PixelAnswer | 'ready') => void
  const next = () => new Promise<PixelAnswer | 'ready'>(resolve => (answer = resolve))
  worker.onmessage = ({ data }) => answer(data.stowage)
  worker.onerror = event => {
    // The page goes on without it: nothing for the console.
    event.preventDefault()
    answer({ failure: 'not-here' })
  }
  const first = next()
  const timer = setTimeout(() => answer({ failure: 'not-here' }), START_MS)
  const ready = (await first) === 'ready'
  clearTimeout(timer)
  if (!ready) return void worker.terminate()
  return {
    async work(file, wish, signal) {
      const onAbort = () => {
        worker.terminate()
        answer({ failure: 'aborted' })
      }
      signal.addEventListener('abort', onAbort)
      worker.postMessage({ stowage: file, wish })
      const given = await next()
      signal.removeEventListener('abort', onAbort)
      return given as PixelAnswer
    },
    end: () => worker.terminate(),
  }
}

function fromSource(): Worker {
  const url = URL.createObjectURL(new Blob([`(${pixelWork})(self)`], { type: 'text/javascript' }))
  // Not at once: not every browser has read it when the worker is made.
  setTimeout(() => URL.revokeObjectURL(url), START_MS)
  return new Worker(url)
}
