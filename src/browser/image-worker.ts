import { type PixelAnswer, type PixelJob, pixelWork } from './pixel-work.ts'

/** A worker that has said that it is ready; `undefined` where workers are missing or refused. */
export async function startedWorker(start: () => Worker, ended: AbortSignal): Promise<Worker | undefined> {
  let worker: Worker
  try {
    worker = start()
  } catch {
    // No such class, a policy that forbids it, or a script of another origin.
    return undefined
  }
  if (await answerOf(worker, ended)) return worker
  return void worker.terminate()
}

/** The next word of a worker, about `job` if any; `undefined` where it fails, does not start, or `ended` comes first. */
export function answerOf(
  worker: Worker,
  ended: AbortSignal,
  job?: PixelJob,
): Promise<PixelAnswer | undefined> {
  return new Promise(resolve => {
    const none = () => resolve(undefined)
    worker.onmessage = ({ data }) => resolve(data.stowage)
    worker.onerror = event => {
      // The page goes on without it: nothing for the console.
      event.preventDefault()
      none()
    }
    ended.addEventListener('abort', none)
    if (job) worker.postMessage({ stowage: job })
    // One that has not said a word for so long was blocked without an error.
    else setTimeout(none, 5000)
  })
}

/** From the source in this library. */
export function ownWorker(): Worker {
  sourceUrl ??= URL.createObjectURL(new Blob([`(${pixelWork})(self)`], { type: 'text/javascript' }))
  return new Worker(sourceUrl)
}

/** Kept: when a browser has read it nobody tells, and the next worker needs it again. */
let sourceUrl: string | undefined
