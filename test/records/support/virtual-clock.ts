/** Time that passes only when a test says so: for this machine's clock, the store's, and every wait. */

interface Timer {
  readonly at: number
  readonly owner: string
  readonly fire: () => void
}

const START = Date.UTC(2026, 0, 1)

export class VirtualClock {
  #passed = 0
  #timers: Timer[] = []

  readonly now = () => START + this.#passed
  readonly monotonic = () => this.#passed

  /** A `wait` for one owner, whose timers go with it. */
  waitOf(owner: string) {
    return (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const timer = { at: this.#passed + ms, owner, fire: resolve }
        this.#timers.push(timer)
        signal?.addEventListener('abort', () => {
          this.#timers = this.#timers.filter(other => other !== timer)
          reject(signal.reason)
        })
      })
  }

  /** Lets time pass; whoever waited until then goes on. */
  advance(ms: number): void {
    this.#passed += ms
    const due = this.#timers.filter(timer => timer.at <= this.#passed)
    this.#timers = this.#timers.filter(timer => timer.at > this.#passed)
    for (const { fire } of due) fire()
  }

  /** Goes to the first moment that somebody waits for. False where nobody waits. */
  skip(): boolean {
    if (this.#timers.length === 0) return false
    this.advance(Math.max(0, Math.min(...this.#timers.map(timer => timer.at)) - this.#passed))
    return true
  }

  forget(owner: string): void {
    this.#timers = this.#timers.filter(timer => timer.owner !== owner)
  }
}
