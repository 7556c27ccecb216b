import { untilEnded } from '../core/deadline.ts'

/** Gives a permit back. Calling it twice is fine. */
export type Release = () => void

/** So many permits; who comes when none is left waits in line, first come, first served. */
export class Semaphore {
  readonly #maxQueue: number
  #free: number
  readonly #queue = new Set<() => void>()

  constructor(permits: number, maxQueue: number) {
    this.#free = permits
    this.#maxQueue = maxQueue
  }

  /** Whether the line is as long as it may be and no permit is left. */
  get full(): boolean {
    return this.#free === 0 && this.#queue.size >= this.#maxQueue
  }

  /** Resolves with a permit. Rejects with the signal's reason where that ends first, and leaves the line. */
  async acquire(signal: AbortSignal | undefined): Promise<Release> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return this.#permit()
    }
    let enter = () => {}
    const turn = new Promise<void>(resolve => {
      enter = resolve
    })
    this.#queue.add(enter)
    try {
      await untilEnded(turn, signal)
    } catch (reason) {
      // The permit may have been handed over in the moment in which the signal ended.
      if (!this.#queue.delete(enter)) this.#next()
      throw reason
    }
    return this.#permit()
  }

  #permit(): Release {
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#next()
    }
  }

  #next(): void {
    const [enter] = this.#queue
    if (enter === undefined) this.#free++
    else {
      this.#queue.delete(enter)
      enter()
    }
  }
}
