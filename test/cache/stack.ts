import { setTimeout as wait } from 'node:timers/promises'
import { memory } from '../../src/adapters/memory.ts'
import { type CacheSignedUrlsOptions, cacheSignedUrls, memoryCache } from '../../src/cache/index.ts'
import type { SignedUrlCache } from '../../src/cache/signed-url-cache.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { MAX_EXPIRES_IN } from '../../src/core/sign-requests.ts'
import { forward } from '../../src/decorators/index.ts'

export const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }
export const HOUR = 3600
export const DAY = 24 * HOUR

/** A clock that is moved by hand, in seconds. */
export class Clock {
  ms = Date.parse('2026-03-01T12:00:00Z')
  readonly now = () => this.ms
  pass(seconds: number): void {
    this.ms += seconds * 1000
  }
}

/**
 * Memory whose URLs tell each signing apart, as those of a store that puts the time or an id into them, and which counts
 * what it is asked for. `gate` holds back what is signed: a URL is made when it opens no sooner than it was asked for.
 */
export class Signer {
  readonly clock: Clock
  readonly store: StorageProvider
  /** Keys of each request to sign. */
  readonly requests: string[][] = []
  /** Which version of an object a URL was signed over. */
  readonly versions = new Map<string, number>()
  readonly version = new Map<string, number>()
  gate: Promise<unknown> | undefined
  #signed = 0

  constructor(clock = new Clock()) {
    this.clock = clock
    const inner = memory({ signing, now: clock.now })
    const sign: StorageProvider['signedUrls'] = async (keys, options) => {
      const asked = [...(keys as string[])]
      this.requests.push(asked)
      const results = await inner.signedUrls(asked, options)
      const unlike = results.map(result => {
        if (!result.ok) return result
        const url = `${result.value.url}&n=${++this.#signed}`
        this.versions.set(url, this.version.get(result.key) ?? 0)
        return { ...result, value: { ...result.value, url } }
      })
      await this.gate
      return unlike
    }
    const changed = (key: string) => this.version.set(key, (this.version.get(key) ?? 0) + 1)
    this.store = forward(inner, {
      signedUrls: sign,
      async signedUrl(key, options) {
        const [result] = await sign([key], options)
        if (!result!.ok) throw result!.error
        return result!.value
      },
      upload: async (key, body, options) => {
        const info = await inner.upload(key, body, options)
        changed(key)
        return info
      },
      delete: async (key, options) => {
        const result = await inner.delete(key, options)
        changed(key)
        return result
      },
    })
  }

  /** All keys that were signed. */
  get keys(): string[] {
    return this.requests.flat()
  }

  cached(options: Partial<CacheSignedUrlsOptions> & { cache: SignedUrlCache }): StorageProvider {
    // On a busy machine an answer must not be taken for one that does not come.
    return cacheSignedUrls(this.store, { now: this.clock.now, cacheTimeoutMs: 60_000, ...options })
  }
}

/** A memory cache by the clock of the signer, and what it was asked for. */
export function countedCache(clock: Clock) {
  const cache = memoryCache({ now: clock.now })
  const calls: string[] = []
  const counted: SignedUrlCache = {
    getMany(keys) {
      calls.push(`getMany ${keys.length}`)
      return cache.getMany(keys)
    },
    setMany(entries) {
      calls.push(`setMany ${entries.length}`)
      return cache.setMany(entries)
    },
    deleteMany(keys) {
      calls.push(`deleteMany ${keys.length}`)
      return cache.deleteMany(keys)
    },
  }
  return { cache: counted, calls }
}

export function gate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}

/** Lets everything go on that waits for nothing outside of this process. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await wait(0)
}

export { MAX_EXPIRES_IN }
