import type { RecordSet } from './record-set.ts'

/** How long a measured difference is believed. */
const FRESH_MS = 5 * 60_000

/**
 * The store's present time. Graces and cut-offs are counted by it, so that no two machines need the same time. The
 * difference to this machine's clock is measured with one small request and believed for five minutes.
 */
export class StoreClock {
  readonly #set: RecordSet
  #offset = 0
  #measuredAt: number | undefined
  #measuring: Promise<void> | undefined

  constructor(set: RecordSet) {
    this.#set = set
  }

  /** Milliseconds since 1970. Where the store can't tell, this machine's, and an event says so. */
  async now(): Promise<number> {
    const at = this.#set.monotonic()
    if (this.#measuredAt === undefined || at - this.#measuredAt > FRESH_MS) {
      this.#measuring ??= this.#measure().finally(() => {
        this.#measuring = undefined
      })
      await this.#measuring
    }
    return Math.floor(this.#set.now() + this.#offset)
  }

  /** Milliseconds by which the store is ahead of this machine, measured now. @throws what the store's clock throws */
  async skew(): Promise<number> {
    const before = this.#set.now()
    const store = (await this.#set.provider.clock()).getTime()
    const after = this.#set.now()
    this.#measuredAt = this.#set.monotonic()
    // The store's answer is cut to the second: within its error and the time it took, nothing differs.
    if (store + 1_000 >= before && store <= after) this.#offset = 0
    else this.#offset = store < before ? store + 1_000 - before : store - after
    return this.#offset
  }

  async #measure(): Promise<void> {
    try {
      await this.skew()
    } catch (error) {
      this.#measuredAt = this.#set.monotonic()
      this.#set.emit({ kind: 'clock-unknown', severity: 'warning', error: this.#set.error(error, 'clock') })
    }
  }
}
