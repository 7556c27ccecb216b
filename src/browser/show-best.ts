export interface ShowBestOptions<T> {
  /** Ends it: nothing is shown from then on. */
  signal?: AbortSignal
  /** Told of an image that came too late to be shown, to free what it holds: `texture => texture.destroy()`. */
  drop?: (image: T) => void
}

/**
 * Shows the best of several images as they come: placeholder, thumbnail, original. All are begun at once; one that comes
 * late never replaces a better one that is shown already.
 *
 * Resolves when the best is shown, or when all have come or failed and any was shown.
 *
 * @param stages from the worst to the best; one that gives `undefined` has nothing to show, and what one throws or rejects
 *   with leaves the others as they are
 * @param show called with the image and the number of its stage, each time with a better one
 * @throws what the best stage failed with, where none could be shown; `signal.reason` where it ends first
 *
 * @example
 * ```ts
 * await showBest(
 *   [
 *     () => blurhashToDataURL(image.blurhash) || undefined,
 *     async () => (await loadImage(image.thumbUrl)).src,
 *     async () => (await loadImage(image.url)).src,
 *   ],
 *   src => { element.src = src },
 * )
 * ```
 */
export function showBest<T>(
  stages: readonly (() => T | undefined | Promise<T | undefined>)[],
  show: (image: T, stage: number) => void,
  options: ShowBestOptions<T> = {},
): Promise<void> {
  const { signal, drop } = options
  return new Promise((resolve, reject) => {
    let shown = -1
    let open = stages.length
    let failure: { stage: number; error: unknown } = { stage: -1, error: undefined }
    const onAbort = () => reject(signal!.reason)
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })

    const end = (settle: () => void) => {
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const closed = () => {
      if (--open > 0) return
      end(() => (shown < 0 && failure.stage >= 0 ? reject(failure.error) : resolve()))
    }
    const came = (image: T | undefined, stage: number) => {
      if (image === undefined) return
      if (signal?.aborted || stage < shown) drop?.(image)
      else {
        shown = stage
        show(image, stage)
        if (stage === stages.length - 1) end(resolve)
      }
    }
    for (const [stage, begin] of stages.entries()) {
      const failed = (error: unknown) => {
        if (stage > failure.stage) failure = { stage, error }
      }
      const shows = (image: T | undefined) => came(image, stage)
      try {
        const image = begin()
        if (image instanceof Promise) void image.then(shows).catch(failed).then(closed)
        else {
          // At once, so that a placeholder stands before anything is painted.
          shows(image)
          closed()
        }
      } catch (error) {
        failed(error)
        closed()
      }
    }
  })
}
