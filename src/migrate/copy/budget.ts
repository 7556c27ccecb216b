import { endedError, untilEnded } from '../../core/deadline.ts'

/** Gives back what was taken. Calling it twice is fine. */
export type GiveBack = () => void

/** So much of something, of memory for example, may be held at once; who asks for more than there is waits in line. */
export class Budget {
  readonly #total: number
  #free: number
  readonly #queue = new Set<{ readonly amount: number; readonly enter: () => void }>()

  constructor(total: number) {
    this.#total = total
    this.#free = total
  }

  /** Who wants more than the whole budget gets all of it. @throws `aborted` where the signal ends first */
  async take(wanted: number, signal?: AbortSignal): Promise<GiveBack> {
    const amount = Math.min(wanted, this.#total)
    if (this.#queue.size === 0 && amount <= this.#free) {
      this.#free -= amount
      return this.#giveBack(amount)
    }
    let enter = () => {}
    const turn = new Promise<void>(resolve => {
      enter = resolve
    })
    const entry = { amount, enter }
    this.#queue.add(entry)
    try {
      await untilEnded(turn, signal)
    } catch {
      // It may have been handed over in the moment in which the signal ended.
      if (!this.#queue.delete(entry)) this.#free += amount
      this.#admit()
      throw endedError(signal!, 'migrate', 'migrate')
    }
    return this.#giveBack(amount)
  }

  #giveBack(amount: number): GiveBack {
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#free += amount
      this.#admit()
    }
  }

  #admit(): void {
    for (const entry of this.#queue) {
      if (entry.amount > this.#free) return
      this.#queue.delete(entry)
      this.#free -= entry.amount
      entry.enter()
    }
  }
}
