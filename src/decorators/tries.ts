import { setTimeout as delay } from 'node:timers/promises'
import { endedError, untilEnded } from '../core/deadline.ts'
import { type ErrorCode, StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { OperationName } from '../core/options.ts'
import { numberSetting, refusal } from './layer.ts'

export interface RetryOptions {
  /** Tries of one operation in all, 1 or more. Default: 4. */
  attempts?: number
  /** The first wait is random between 0 and this many milliseconds; it doubles with each try. Default: 100. */
  minDelayMs?: number
  /**
   * No wait is longer, in milliseconds. A store that asks for a longer one (Retry-After) is not waited for: the
   * error is thrown at once, with its `retryAfterMs`. Default: 20,000.
   */
  maxDelayMs?: number
  /** A number from 0 to 1, as `Math.random` gives, which is the default. */
  random?: () => number
  /** Waits so many milliseconds, or until the signal ends. Default: a timer. */
  sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** Told of every try that follows. What it throws is dropped. */
  onRetry?: (retry: RetryEvent) => void
}

export interface RetryEvent {
  readonly operation: OperationName
  readonly key?: string
  /** The number of the try that follows: 2 for the first repetition. */
  readonly attempt: number
  readonly delayMs: number
  /** Why the try before it failed. */
  readonly error: StorageError
}

export type RetrySettings = Required<Omit<RetryOptions, 'onRetry'>> & Pick<RetryOptions, 'onRetry'>

export function retrySettings(options: RetryOptions): RetrySettings {
  assertFactoryOptions('retry', options, {
    attempts: 'number',
    minDelayMs: 'number',
    maxDelayMs: 'number',
    random: 'function',
    sleep: 'function',
    onRetry: 'function',
  })
  const { attempts = 4, minDelayMs = 100, maxDelayMs = 20_000, random = Math.random, onRetry } = options
  numberSetting('retry', 'attempts', attempts, { least: 1, whole: true })
  numberSetting('retry', 'minDelayMs', minDelayMs, { least: 0 })
  if (minDelayMs > numberSetting('retry', 'maxDelayMs', maxDelayMs, { least: 0 }))
    throw refusal('retry', 'minDelayMs must not be above maxDelayMs')
  const sleep: RetrySettings['sleep'] =
    options.sleep ?? ((ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }))
  return { attempts, minDelayMs, maxDelayMs, random, sleep, onRetry }
}

/** Answers that say for certain that the store did nothing. After any other failure it may have. */
const REFUSED: ReadonlySet<ErrorCode> = new Set(['rate-limited', 'conflict'])

/** The tries of one operation, counted together. */
export class Tries {
  readonly signal: AbortSignal | undefined
  /** The failure after which nobody knows whether the operation was done, where there was one. */
  unresolved: StorageError | undefined
  readonly #settings: RetrySettings
  readonly #operation: OperationName
  readonly #provider: string
  readonly #key: string | undefined
  #made = 1

  constructor(
    settings: RetrySettings,
    provider: string,
    operation: OperationName,
    key: string | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#settings = settings
    this.#provider = provider
    this.#operation = operation
    this.#key = key
    this.signal = signal
  }

  /** As many tries again, for a question that follows from the operation. */
  fresh(): Tries {
    return new Tries(this.#settings, this.#provider, this.#operation, this.#key, this.signal)
  }

  /** `work`, again and again, until it succeeds or fails for good. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!(await this.again(error))) throw error
      }
    }
  }

  /**
   * Waits until the next try may begin; false where none may follow `error`.
   *
   * @throws `aborted`, `timeout` where `signal` ends the wait
   */
  async again(error: unknown, signal = this.signal): Promise<boolean> {
    const { attempts, sleep, onRetry } = this.#settings
    if (!(error instanceof StorageError) || !error.retryable || signal?.aborted) return false
    if (!REFUSED.has(error.code)) this.unresolved = error
    const delayMs = this.#delay(error)
    if (this.#made >= attempts || delayMs === undefined) return false
    this.#made++
    const event = { operation: this.#operation, attempt: this.#made, delayMs, error }
    try {
      onRetry?.(this.#key === undefined ? event : { ...event, key: this.#key })
    } catch {}
    try {
      await untilEnded(sleep(delayMs, signal), signal)
    } catch (reason) {
      throw signal?.aborted ? this.#endedWaiting(signal, error) : reason
    }
    return true
  }

  /** Full jitter, so that clients that failed together don't come back together; undefined where it is too long. */
  #delay(error: StorageError): number | undefined {
    const { minDelayMs, maxDelayMs, random } = this.#settings
    const most = Math.min(maxDelayMs, minDelayMs * 2 ** (this.#made - 1))
    const asked = error.retryAfterMs ?? 0
    if (asked > maxDelayMs) return undefined
    return Math.min(maxDelayMs, asked + Math.round(random() * most))
  }

  #endedWaiting(signal: AbortSignal, cause: StorageError): StorageError {
    const { code, message } = endedError(signal, this.#operation, this.#provider)
    return new StorageError(
      code,
      `${message}, while try ${this.#made} was waited for because of '${cause.code}'`,
      {
        operation: this.#operation,
        provider: this.#provider,
        cause,
        ...(this.#key === undefined ? {} : { key: this.#key }),
      },
    )
  }
}
