/** How often something may be done. */
export interface Rate {
  /** Tokens that an idle bucket holds. */
  readonly burst: number
  /** Tokens that come back in a second. */
  readonly perSecond: number
}

/**
 * Keeps to a rate before somebody has to refuse: whatever is done takes tokens, which come back with time. Tokens
 * may be taken ahead, so that those who wait do so in the order in which they came.
 */
export class TokenBucket {
  readonly #rate: Rate
  readonly #now: () => number
  #tokens: number
  #asOf: number
  #closedUntil = 0

  constructor(rate: Rate, now: () => number) {
    this.#rate = rate
    this.#now = now
    this.#tokens = rate.burst
    this.#asOf = now()
  }

  /** Takes `count` tokens. The answer: milliseconds to wait before they may be used. */
  take(count: number): number {
    const now = this.#now()
    // A clock that was set back must not take tokens away.
    const passedMs = Math.max(0, now - this.#asOf)
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (passedMs / 1000) * this.#rate.perSecond)
    this.#asOf = now
    this.#tokens -= count
    const owed = this.#tokens < 0 ? Math.ceil((-this.#tokens / this.#rate.perSecond) * 1000) : 0
    return Math.max(owed, this.#closedUntil - now, 0)
  }

  /** Gives back tokens that were not used. */
  giveBack(count: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + count)
  }

  /** The other side said that nothing is taken for so many milliseconds: others share the limit. */
  closeFor(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#now() + ms)
  }
}
