import { StorageError } from '../core/errors.ts'
import type { CacheCallSettings, CacheCalls } from './cache-calls.ts'

/** Objects that the cache is told of in one call. */
const BATCH = 1000
/** Most that are remembered: some 20 MB. */
const MOST = 100_000

/** A connection that was cut stands again soon; each further try waits twice as long, up to `coolDownMs`. */
const FIRST_RETRY_MS = 50

/**
 * What the cache must forget. The cache's failure never is the failure of the delete that it follows: what could not be
 * told is remembered, passes the cache by in this process meanwhile, and is told again.
 */
export class Invalidations {
  readonly #calls: CacheCalls
  readonly #settings: CacheCallSettings
  /** Generation keys, each with a number of its own for each time that it was added. */
  readonly #open = new Map<string, number>()
  #added = 0
  #telling: Promise<void> | undefined
  /** Tries since the cache last heard all. */
  #tries = 0
  #stopTimer: (() => void) | undefined

  constructor(calls: CacheCalls, settings: CacheCallSettings) {
    this.#calls = calls
    this.#settings = settings
  }

  /** Whether the cache can't be trusted with this object. */
  has(object: string): boolean {
    return this.#open.size > 0 && this.#open.has(object)
  }

  /** Tells the cache. Never fails; when it resolves, the objects are forgotten or remembered here. */
  async add(objects: readonly string[]): Promise<void> {
    for (let from = 0; from < objects.length; from += BATCH) {
      const batch = objects.slice(from, from + BATCH)
      const ids = batch.map(object => this.#remember(object))
      await this.#tell(batch, ids)
    }
    this.#drop()
    this.#tellLater()
  }

  /** The cache has just answered somebody: what it could not be told it may hear now. */
  retry(): void {
    if (this.#open.size > 0 && this.#stopTimer !== undefined) void this.#tellAll()
  }

  /** Once more, for the last time: whoever closes has done what could be done. */
  async close(): Promise<void> {
    this.#stopTimer?.()
    await this.#telling
    this.#stopTimer?.()
    this.#calls.wake()
    if (this.#open.size > 0) await this.#tellAll()
    this.#stopTimer?.()
  }

  #remember(object: string): number {
    const id = ++this.#added
    this.#open.set(object, id)
    return id
  }

  async #tell(objects: readonly string[], ids: readonly number[]): Promise<boolean> {
    const told = await this.#calls.deleteMany(objects, 'end')
    // What was added again meanwhile is told by whoever did.
    if (told)
      for (const [at, object] of objects.entries())
        if (this.#open.get(object) === ids[at]) this.#open.delete(object)
    return told
  }

  #drop(): void {
    const excess = this.#open.size - MOST
    if (excess <= 0) return
    for (const object of [...this.#open.keys()].slice(0, excess)) this.#open.delete(object)
    const problem = `the cache could not be told for so long that ${excess} objects were dropped from what it is to be told`
    this.#settings.onError(new StorageError('unavailable', problem))
  }

  #tellLater(): void {
    if (this.#open.size === 0) this.#tries = 0
    if (this.#open.size === 0 || this.#stopTimer !== undefined) return
    const { timer, coolDownMs } = this.#settings
    this.#stopTimer = timer(
      Math.min(coolDownMs, FIRST_RETRY_MS * 2 ** this.#tries++),
      () => {
        this.#stopTimer = undefined
        void this.#tellAll()
      },
      'retry',
    )
  }

  #tellAll(): Promise<void> {
    this.#telling ??= this.#tellInBatches().finally(() => {
      this.#telling = undefined
      this.#tellLater()
    })
    return this.#telling
  }

  async #tellInBatches(): Promise<void> {
    while (this.#open.size > 0) {
      const batch = [...this.#open].slice(0, BATCH)
      const told = await this.#tell(
        batch.map(([object]) => object),
        batch.map(([, id]) => id),
      )
      if (!told) return
    }
  }
}
