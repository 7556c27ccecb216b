/**
 * A signal for each object, which ends with the run. One that all share has a listener for every request and every wait, and
 * each one that is added is compared with all of them.
 */
export class ObjectSignals {
  readonly #open = new Set<AbortController>()
  /** Of objects that have ended, for the next ones: making one costs more than most of what listens to it. */
  readonly #idle: AbortController[] = []
  readonly #run: AbortSignal

  constructor(run: AbortSignal) {
    this.#run = run
    run.addEventListener('abort', () => {
      for (const controller of this.#open) controller.abort(run.reason)
    })
  }

  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = this.#idle.pop() ?? new AbortController()
    if (this.#run.aborted) controller.abort(this.#run.reason)
    this.#open.add(controller)
    try {
      return await work(controller.signal)
    } finally {
      this.#open.delete(controller)
      if (!controller.signal.aborted) this.#idle.push(controller)
    }
  }
}
