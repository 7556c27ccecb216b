import { once } from 'node:events'
import type { Worker } from '../records/index.ts'

/** Lets what is started run until the user interrupts it, and shows its reports one after the other. */
export async function untilEnded<Report>(
  signal: AbortSignal,
  start: (onReport: (report: Report) => void) => Worker,
  show: (report: Report) => Promise<void>,
): Promise<void> {
  let shown = Promise.resolve()
  let failed: ((error: unknown) => void) | undefined
  const failure = new Promise<never>((_, reject) => {
    failed = reject
  })
  // Nobody may wait for it: the user may have interrupted what has not begun.
  failure.catch(() => {})
  const worker = start(report => {
    shown = shown.then(() => show(report))
    shown.catch(failed)
  })
  // The pauses of a worker keep no process alive.
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    if (!signal.aborted) await Promise.race([once(signal, 'abort'), failure])
  } finally {
    clearInterval(alive)
    await worker.stop()
  }
  signal.throwIfAborted()
}
