import { StorageError } from '../core/errors.ts'
import type { CacheEntry, SignedUrlCache } from './signed-url-cache.ts'

/** Calls back after so many milliseconds; returns what prevents it. A `retry` must not keep the process alive. */
export type CacheTimer = (ms: number, call: () => void, why: 'timeout' | 'retry') => () => void

export interface CacheCallSettings {
  readonly timeoutMs: number
  readonly coolDownMs: number
  readonly monotonic: () => number
  readonly timer: CacheTimer
  readonly onError: (error: unknown) => void
}

/**
 * The cache, whose failures are no failures: a call that fails or takes too long is `undefined`, and its error is told.
 * After one that took too long none is made for a while, and then one at first: a cache that hangs costs its time once.
 */
export class CacheCalls {
  readonly #cache: SignedUrlCache
  readonly #settings: CacheCallSettings
  #restsUntil: number | undefined

  constructor(cache: SignedUrlCache, settings: CacheCallSettings) {
    this.#cache = cache
    this.#settings = settings
  }

  getMany(keys: readonly string[]): Promise<readonly (string | undefined)[] | undefined> {
    return this.#call(() => this.#cache.getMany(keys), keys.length)
  }

  setMany(entries: readonly CacheEntry[]): Promise<readonly (string | undefined)[] | undefined> {
    return this.#call(() => this.#cache.setMany(entries), entries.length)
  }

  /** Whether they are certainly gone. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    const told = async () => {
      await this.#cache.deleteMany(keys)
      return []
    }
    return (await this.#call(told, 0)) !== undefined
  }

  async #call<Values extends readonly unknown[]>(
    call: () => Promise<Values>,
    count: number,
  ): Promise<Values | undefined> {
    const { monotonic, coolDownMs, onError, timeoutMs } = this.#settings
    if (this.#restsUntil !== undefined) {
      if (monotonic() < this.#restsUntil) return undefined
      // This call finds out for all: the others go on without.
      this.#restsUntil = monotonic() + coolDownMs
    }
    let late: StorageError | undefined
    try {
      const values = await this.#within(call, () => {
        const problem = `the cache of signed URLs did not answer within ${timeoutMs} ms; URLs are signed without it`
        late = new StorageError('timeout', problem)
        return late
      })
      this.#restsUntil = undefined
      if (Array.isArray(values) && values.length === count) return values
      throw new StorageError('internal', `the cache returned no list of ${count} values`)
    } catch (error) {
      if (error === late) this.#restsUntil = monotonic() + coolDownMs
      try {
        onError(error)
      } catch {}
      return undefined
    }
  }

  #within<T>(call: () => Promise<T>, tookTooLong: () => StorageError): Promise<T> {
    const { timer, timeoutMs } = this.#settings
    return new Promise((resolve, reject) => {
      const stop = timer(
        timeoutMs,
        // After a long computation timers are served before sockets: the answer may be there already.
        () => setImmediate(() => reject(tookTooLong())),
        'timeout',
      )
      // What throws at once is taken like what rejects.
      new Promise<T>(begin => begin(call())).then(resolve, reject).finally(stop)
    })
  }
}

export const startTimer: CacheTimer = (ms, call, why) => {
  const timer = setTimeout(call, ms)
  if (why === 'retry') timer.unref()
  return () => clearTimeout(timer)
}
