import { deadline, endedError } from '../core/deadline.ts'
import { StorageError } from '../core/errors.ts'
import { type OperationOptions, settledOptions } from '../core/options.ts'
import type { Call } from './forward.ts'

/**
 * Runs `work` under the caller's signal and `timeoutMs` together, so that the time counts for all that a layer does
 * (waiting, several tries) and not for each step again. `work` gets the options with both as one signal.
 */
export async function underDeadline<Options extends OperationOptions | undefined, T>(
  call: Call<Options>,
  provider: string,
  work: (options: Options) => Promise<T>,
): Promise<T> {
  const { operation, key } = call
  const options = settledOptions(call.options)
  const ends = deadline(options, operation, provider)
  if (ends.signal === undefined) return work(options)
  try {
    return await work({ ...options, signal: ends.signal, timeoutMs: undefined })
  } catch (error) {
    throw asEnded(error, ends.signal, operation, provider, key)
  } finally {
    ends.clear()
  }
}

/** What ended a wait: a signal's reason becomes a `StorageError`, everything else stays. */
export function asEnded(
  error: unknown,
  signal: AbortSignal | undefined,
  operation: string,
  provider: string,
  key?: string,
): unknown {
  if (error instanceof StorageError || !signal?.aborted) return error
  return endedError(signal, operation, provider, key)
}
