import type { Progress } from './options.ts'

export type ProgressListener = ((progress: Progress) => void) | undefined

/** Progress is told when bytes have gone already: what its listener throws must not fail a transfer that is done. */
export function harmless(onProgress: ProgressListener): ProgressListener {
  if (onProgress === undefined) return undefined
  return progress => {
    try {
      onProgress(progress)
    } catch {}
  }
}
