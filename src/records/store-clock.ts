import type { RecordSet } from './record-set.ts'

/** How long a measured time is counted on. */
const FRESH_MS = 5 * 60_000
/** More than this between this machine's two clocks: one was set, or the other stood still while the machine slept. */
const MOST_DRIFT_MS = 1_000
/**
 * How late a store's answer may be: it is cut to the second, and some servers (versitygw, by fasthttp) write the date of
 * their answers once a second. Counted as less, each measurement would move the clock, at times backwards.
 */
const ANSWER_ERROR_MS = 2_000

/**
 * The store's present time. Graces and cut-offs are counted by it, so that no two machines need the same time. It is
 * asked for with one small request and counted on from there for five minutes, or until this machine's clock is set.
 */
export class StoreClock {
  readonly #set: RecordSet
  /** The store's time when it was measured. */
  #base = 0
  #measuredAt: number | undefined
  /** This machine's clock then. */
  #ownAt = 0
  #measuring: Promise<void> | undefined

  constructor(set: RecordSet) {
    this.#set = set
  }

  /** Milliseconds since 1970. Where the store can't tell, this machine's, and an event says so. */
  async now(): Promise<number> {
    if (!this.#isFresh()) {
      this.#measuring ??= this.#measure().finally(() => {
        this.#measuring = undefined
      })
      await this.#measuring
    }
    return Math.floor(this.#base + this.#set.monotonic() - this.#measuredAt!)
  }

  #isFresh(): boolean {
    if (this.#measuredAt === undefined) return false
    const elapsed = this.#set.monotonic() - this.#measuredAt
    const drift = this.#set.now() - this.#ownAt - elapsed
    return elapsed <= FRESH_MS && Math.abs(drift) <= MOST_DRIFT_MS
  }

  /** Milliseconds by which the store is ahead of this machine, measured now. @throws what the store's clock throws */
  async skew(): Promise<number> {
    const before = this.#set.now()
    const store = (await this.#set.provider.clock()).getTime()
    const after = this.#set.now()
    // Within the answer's own error and the time it took, nothing differs.
    const isSame = store + ANSWER_ERROR_MS >= before && store <= after
    const offset = isSame ? 0 : store < before ? store + ANSWER_ERROR_MS - before : store - after
    this.#count(after + offset)
    return offset
  }

  #count(from: number): void {
    this.#base = from
    this.#ownAt = this.#set.now()
    this.#measuredAt = this.#set.monotonic()
  }

  async #measure(): Promise<void> {
    try {
      await this.skew()
    } catch (error) {
      this.#count(this.#set.now())
      this.#set.emit({ kind: 'clock-unknown', severity: 'warning', error: this.#set.error(error, 'clock') })
    }
  }
}
