/**
 * A signal of its own for each of many things under way, which ends with the one that they share. That one has a single
 * listener then, while anything is under way, where it would have one for every request and every wait: each that is added is
 * compared with all of them, and Node takes the eleventh for a leak.
 */
export class OwnSignals {
  readonly #open = new Set<AbortController>()
  /** Of what has ended, for what comes next: making one costs more than most of what listens to it. */
  readonly #idle: AbortController[] = []
  readonly #shared: AbortSignal
  readonly #onAbort = () => {
    for (const controller of this.#open) controller.abort(this.#shared.reason)
  }

  constructor(shared: AbortSignal) {
    this.#shared = shared
  }

  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = this.#idle.pop() ?? new AbortController()
    if (this.#shared.aborted) controller.abort(this.#shared.reason)
    if (this.#open.size === 0) this.#shared.addEventListener('abort', this.#onAbort, { once: true })
    this.#open.add(controller)
    try {
      return await work(controller.signal)
    } finally {
      this.#open.delete(controller)
      if (this.#open.size === 0) this.#shared.removeEventListener('abort', this.#onAbort)
      if (!controller.signal.aborted) this.#idle.push(controller)
    }
  }
}
