import { setMaxListeners } from 'node:events'
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
  // One signal for many operations at once is no leak, of which Node would warn from the eleventh listener on.
  if (signal !== undefined) setMaxListeners(0, signal)
  if (timeoutMs === undefined) return { signal, clear() {} }
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0) || timeoutMs > 2 ** 31 - 1) {
    throw new StorageError(
      'invalid-argument',
      `${operation}: timeoutMs must be a number of milliseconds above 0`,
      { operation, provider },
    )
  }
  const controller = new AbortController()
  // An operation may send as many requests at once.
  setMaxListeners(0, controller.signal)
  const end = (reason: unknown) => {
    clear()
    controller.abort(reason)
  }
  const onAbort = () => end(signal!.reason)
  const timer = setTimeout(() => end(new DeadlinePassed(`no end after ${timeoutMs} ms`)), timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })
  const clear = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
  // Ends with whatever comes first: nobody may be left to call `clear`, as with a download that is never read.
  return { signal: controller.signal, clear }
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

/**
 * `promise`, or a rejection with the signal's reason as soon as it ends. Leaves no listener behind. What the promise gives
 * after that goes to `giveBack`: a body or a connection that nobody will take now.
 */
export function untilEnded<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  giveBack?: (late: T) => unknown,
): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    let ended = signal.aborted
    const onAbort = () => {
      ended = true
      reject(signal.reason)
    }
    if (ended) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const forget = () => signal.removeEventListener('abort', onAbort)
    const settled = promise.then(
      value => {
        forget()
        resolve(value)
        return ended ? giveBack?.(value) : undefined
      },
      error => {
        forget()
        reject(error)
      },
    )
    // Nobody is left to hear that it can't be given back.
    if (giveBack !== undefined) settled.catch(() => {})
  })
}

/** Ends when either does, for who has an end of its own beside the caller's. */
export function eitherSignal(given: AbortSignal | undefined, own: AbortSignal): AbortSignal {
  return given === undefined ? own : AbortSignal.any([given, own])
}
