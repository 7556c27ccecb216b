import { pixelWork } from './pixel-work.ts'

/** What is used of a worker's global scope. */
export interface WorkerScope {
  postMessage(message: unknown): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

/**
 * Makes a worker of your own process images. For pages whose Content-Security-Policy forbids workers from `blob:` URLs:
 * serve this file and give `imageProcessor` a function that starts it.
 *
 * @example
 * ```ts
 * // image-worker.ts
 * import { serveImages } from 'stowage/browser'
 * serveImages(self)
 *
 * // page.ts
 * const images = imageProcessor({
 *   worker: () => new Worker(new URL('./image-worker.ts', import.meta.url), { type: 'module' }),
 * })
 * ```
 */
export function serveImages(scope: WorkerScope): void {
  pixelWork(scope)
}
