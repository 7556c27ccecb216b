import { refused } from './refused.ts'

export interface LoadImageOptions {
  /** Ends the loading. */
  signal?: AbortSignal
  /** Needed where its pixels go to WebGL from another origin; that one must then allow it by CORS. */
  crossOrigin?: 'anonymous' | 'use-credentials'
}

/**
 * Loads and decodes an image, so that it can be put on the page without flickering.
 *
 * @throws `unavailable` where it can't be loaded or decoded, without its URL in the message; `aborted`
 *
 * @example
 * ```ts
 * const image = await loadImage(url)
 * image.alt = 'A lighthouse'
 * figure.replaceChildren(image)
 * ```
 */
export async function loadImage(url: string, options: LoadImageOptions = {}): Promise<HTMLImageElement> {
  const { signal, crossOrigin } = options
  const image = new Image()
  const stop = () => image.removeAttribute('src')
  if (crossOrigin) image.crossOrigin = crossOrigin
  signal?.addEventListener('abort', stop)
  image.src = url
  if (signal?.aborted) stop()
  try {
    await image.decode()
    return image
  } catch {
    const code = signal?.aborted ? 'aborted' : 'unavailable'
    throw refused('loadImage', 'the image could not be loaded and decoded', code)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
