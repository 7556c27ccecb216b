/**
 * Shows the best of several images as they come: placeholder, thumbnail, original. All are begun at once; one that comes
 * late never replaces a better one that is shown already.
 *
 * Resolves when the best is shown, or when all have come or failed and any was shown.
 *
 * @template T
 * @param {(() => T | undefined | Promise<T | undefined>)[]} stages from the worst to the best; one that gives `undefined`
 *   has nothing to show, and one that fails leaves the others as they are
 * @param {(image: T, stage: number) => void} show called each time with a better one
 * @param {AbortSignal} signal ends it: nothing is shown from then on
 * @throws what the best stage failed with, where none could be shown; `signal.reason` where it ends first
 */
export async function showBest(stages, show, signal) {
  const ended = new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
  })
  let shown = -1
  const coming = stages.map(async (begin, stage) => {
    let image = begin()
    // At once where it is there, so that a placeholder stands before anything is painted.
    if (image instanceof Promise) image = await image
    if (image === undefined || signal.aborted || stage < shown) return
    shown = stage
    show(image, stage)
  })
  const all = Promise.allSettled(coming)
  await Promise.race([ended, coming.at(-1).catch(() => {})])
  if (shown === stages.length - 1) return
  const outcomes = await Promise.race([ended, all])
  const failed = outcomes.findLast(({ status }) => status === 'rejected')
  if (shown < 0 && failed) throw failed.reason
}
