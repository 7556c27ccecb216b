/** A clock that stands still while work is done and jumps to the next thing that somebody waits for. */
export class VirtualTime {
  #now = 0
  readonly #waiting: { readonly at: number; readonly wake: () => void }[] = []

  readonly now = (): number => this.#now

  readonly sleep = (ms: number): Promise<void> =>
    new Promise(wake => {
      const at = this.#now + ms
      let index = this.#waiting.length
      while (index > 0 && this.#waiting[index - 1]!.at > at) index--
      this.#waiting.splice(index, 0, { at, wake })
    })

  /** Lets time pass until `until`, or until nobody waits for anything. */
  async pass(until: number): Promise<void> {
    for (;;) {
      // What was woken does all that it can before time passes.
      await new Promise(resolve => setImmediate(resolve))
      const next = this.#waiting[0]
      if (next === undefined || next.at > until) break
      this.#waiting.shift()
      this.#now = next.at
      next.wake()
      while (this.#waiting[0]?.at === this.#now) this.#waiting.shift()!.wake()
    }
    this.#now = until
  }
}
