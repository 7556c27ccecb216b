import { plainError } from '../core/plain-error.ts'

/**
 * What `work` gives, or at once an `aborted` error when one of `signals` ends it. `work` hears of that by a signal of its
 * own; what it gives or throws afterwards is dropped. It is not begun where a signal has ended before.
 */
export function untilAborted<T>(
  operation: string,
  signals: (AbortSignal | undefined)[],
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = new AbortController()
    const over = new AbortController()
    const stop = () => {
      reject(plainError(operation, 'aborted', 'aborted'))
      end.abort()
    }
    for (const signal of signals) {
      signal?.addEventListener('abort', stop, over)
      if (signal?.aborted) return stop()
    }
    work(end.signal)
      .then(resolve, reject)
      .finally(() => over.abort())
  })
}
