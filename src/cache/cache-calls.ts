import { isStorageError, StorageError } from '../core/errors.ts'
import type { CacheEntry, SignedUrlCache } from './signed-url-cache.ts'

/** Calls back after so many milliseconds; returns what prevents it. A `retry` must not keep the process alive. */
export type CacheTimer = (ms: number, call: () => void, why: 'timeout' | 'retry') => () => void

type Values = readonly (string | undefined)[]

export interface CacheCallSettings {
  readonly timeoutMs: number
  readonly coolDownMs: number
  readonly monotonic: () => number
  readonly timer: CacheTimer
  readonly onError: (error: unknown) => void
}

/** Why the cache is called: for a URL, or to end those of an object, which must not wait for what befell the other. */
type Purpose = 'sign' | 'end'

/**
 * The cache, whose failures are no failures: a call that fails or takes too long is `undefined`, and its error is told.
 * Only a cache that lacks a package fails who asks for a URL: that is no outage, and nobody would ever notice.
 * After one that took too long none is made for the same purpose for a while, and then one at first: a cache that hangs
 * costs its time once.
 */
export class CacheCalls {
  readonly #cache: SignedUrlCache
  readonly #settings: CacheCallSettings
  readonly #restsUntil = new Map<Purpose, number>()

  constructor(cache: SignedUrlCache, settings: CacheCallSettings) {
    this.#cache = cache
    this.#settings = settings
  }

  getMany(keys: readonly string[]): Promise<Values | undefined> {
    return this.#call('sign', keys.length, () => this.#cache.getMany(keys))
  }

  setMany(entries: readonly CacheEntry[]): Promise<Values | undefined> {
    return this.#call('sign', entries.length, () => this.#cache.setMany(entries))
  }

  /** Whether they are certainly gone. */
  async deleteMany(keys: readonly string[], purpose: Purpose): Promise<boolean> {
    const told = async () => {
      await this.#cache.deleteMany(keys)
      return []
    }
    return (await this.#call(purpose, 0, told)) !== undefined
  }

  /** The next call is made, whatever became of the last. */
  wake(): void {
    this.#restsUntil.clear()
  }

  async #call(
    purpose: Purpose,
    count: number,
    call: () => Promise<readonly unknown[]>,
  ): Promise<Values | undefined> {
    const { monotonic, coolDownMs, onError, timeoutMs } = this.#settings
    const restsUntil = this.#restsUntil.get(purpose)
    if (restsUntil !== undefined) {
      if (monotonic() < restsUntil) return undefined
      // This call finds out for all: the others go on without.
      this.#restsUntil.set(purpose, monotonic() + coolDownMs)
    }
    let late: StorageError | undefined
    try {
      const values = await this.#within(call, () => {
        const problem = `the cache of signed URLs did not answer within ${timeoutMs} ms; URLs are signed without it`
        late = new StorageError('timeout', problem)
        return late
      })
      this.#restsUntil.clear()
      // A cache of somebody else's may have another word for nothing.
      if (Array.isArray(values) && values.length === count)
        return values.map(value => (typeof value === 'string' ? value : undefined))
      throw new StorageError('internal', `the cache returned no list of ${count} values`)
    } catch (error) {
      if (error === late) this.#restsUntil.set(purpose, monotonic() + coolDownMs)
      try {
        onError(error)
      } catch {}
      // What was changed is changed: that its URLs could not be ended never fails.
      if (purpose === 'sign' && isStorageError(error, 'unsupported')) throw error
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
