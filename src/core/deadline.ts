import { StorageError } from './errors.ts'
import type { OperationOptions } from './options.ts'

/** Reason of a signal that ended because a time ran out: the operation then ends with `timeout`. */
export class DeadlinePassed extends Error {
  override readonly name = 'TimeoutError'
}

/** The end of one operation: the caller's signal, the time it may take, or both. */
export interface Deadline {
  readonly signal: AbortSignal | undefined
  /** Forget the timer and the caller's signal: the operation has ended. */
  clear(): void
}

const NONE: Deadline = { signal: undefined, clear() {} }

/** @throws `invalid-argument` for a `timeoutMs` that is no positive number; `aborted` where `signal` already is */
export function deadline(
  options: OperationOptions | undefined,
  operation: string,
  provider: string,
): Deadline {
  const { signal, timeoutMs } = options ?? {}
  if (signal === undefined && timeoutMs === undefined) return NONE
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new StorageError('invalid-argument', `${operation}: signal must be an AbortSignal`, {
      operation,
      provider,
    })
  }
  if (signal?.aborted) throw endedError(signal, operation, provider)
  if (timeoutMs === undefined) return { signal, clear() {} }
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0) || timeoutMs > 2 ** 31 - 1) {
    throw new StorageError(
      'invalid-argument',
      `${operation}: timeoutMs must be a number of milliseconds above 0`,
      { operation, provider },
    )
  }
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new DeadlinePassed(`no end after ${timeoutMs} ms`)),
    timeoutMs,
  )
  const onAbort = () => controller.abort(signal!.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

/** The error of an operation whose `signal` ended it. */
export function endedError(
  signal: AbortSignal,
  operation: string,
  provider: string,
  key?: string,
): StorageError {
  const timedOut = signal.reason?.name === 'TimeoutError'
  const details = { operation, provider, ...(key === undefined ? {} : { key }) }
  return timedOut
    ? new StorageError(
        'timeout',
        `${operation}: timed out${signal.reason instanceof DeadlinePassed ? `, ${signal.reason.message}` : ''}`,
        details,
      )
    : new StorageError('aborted', `${operation}: aborted by the caller`, details)
}

/** `promise`, or a rejection with the signal's reason as soon as it ends. Leaves no listener behind. */
export function untilEnded<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
