import { endedError, untilEnded } from '../../core/deadline.ts'
import { LimitSearch } from './limit-search.ts'

export interface AdaptiveLimitOptions {
  /** Never more at once. */
  readonly most: number
  /** Never less. Default 4. */
  readonly least?: number
  /** Default 32. */
  readonly start?: number
  /** Milliseconds. */
  readonly now: () => number
  readonly onChange?: (limit: number, reason: string) => void
}

/** Leave to have one thing under way. It is given back once, by one of the methods; what comes after that is ignored. */
export interface Slot {
  /** It is done, and so much work was in it, in any unit. */
  done(work: number): void
  /** A store refused it for too many requests. */
  overloaded(): void
  /** It failed, and a store in trouble may be why. */
  failed(): void
  /** It says nothing: not begun, or ended from outside. */
  release(): void
}

/** A window shorter than this measures the clock. */
const LEAST_WINDOW_MS = 40
const LEAST_COMPLETIONS = 8
/** More failures than this share of a window are taken for overload. */
const MOST_FAILURES = 0.25

/**
 * So many slots as bring the most, found out while they are used. A window lasts until as many have ended as may be
 * under way; one in which nobody had to wait says nothing about the limit.
 */
export class AdaptiveLimit {
  readonly #now: () => number
  readonly #onChange: AdaptiveLimitOptions['onChange']
  readonly #search: LimitSearch
  readonly #queue = new Set<() => void>()
  #underWay = 0
  /** Counts refusals: what was sent before one says nothing of the limit after it. */
  #epoch = 0
  #window = { since: 0, work: 0, ended: 0, failed: 0, waited: false }

  constructor({ most, least = 4, start = 32, now, onChange }: AdaptiveLimitOptions) {
    this.#now = now
    this.#onChange = onChange
    this.#search = new LimitSearch({ least: Math.min(least, most), most, start })
    this.#openWindow()
  }

  get limit(): number {
    return this.#search.limit
  }

  get underWay(): number {
    return this.#underWay
  }

  /** First come, first served. @throws `aborted` where the signal ends first */
  async acquire(signal?: AbortSignal): Promise<Slot> {
    if (this.#underWay < this.limit && this.#queue.size === 0) {
      this.#underWay++
      return this.#slot()
    }
    this.#window.waited = true
    let enter = () => {}
    const turn = new Promise<void>(resolve => {
      enter = resolve
    })
    this.#queue.add(enter)
    try {
      await untilEnded(turn, signal)
    } catch {
      // The slot may have been handed over in the moment in which the signal ended.
      if (!this.#queue.delete(enter)) this.#leave()
      throw endedError(signal!, 'migrate', 'migrate')
    }
    return this.#slot()
  }

  #slot(): Slot {
    const epoch = this.#epoch
    let held = true
    const giveBack = (note?: () => void) => {
      if (!held) return
      held = false
      note?.()
      this.#leave()
    }
    return {
      done: work => giveBack(() => this.#ended(work)),
      failed: () =>
        giveBack(() => {
          this.#window.failed++
          this.#ended(0)
        }),
      overloaded: () =>
        giveBack(() => {
          if (epoch === this.#epoch) this.#refused('a store refuses: too many requests')
        }),
      release: () => giveBack(),
    }
  }

  #leave(): void {
    this.#underWay--
    this.#admit()
  }

  #admit(): void {
    for (const enter of this.#queue) {
      if (this.#underWay >= this.limit) return
      this.#queue.delete(enter)
      this.#underWay++
      enter()
    }
  }

  #ended(work: number): void {
    const window = this.#window
    window.work += work
    window.ended++
    const passed = this.#now() - window.since
    if (window.ended < Math.max(LEAST_COMPLETIONS, this.limit) || passed < LEAST_WINDOW_MS) return
    if (window.failed > window.ended * MOST_FAILURES) this.#refused('many requests fail')
    else {
      if (window.waited) this.#changing(() => this.#search.measured(window.work / passed))
      this.#openWindow()
    }
  }

  #refused(reason: string): void {
    this.#epoch++
    this.#changing(() => this.#search.refused(reason))
    this.#openWindow()
  }

  #changing(judge: () => void): void {
    const before = this.limit
    judge()
    if (this.limit === before) return
    this.#onChange?.(this.limit, this.#search.reason)
    this.#admit()
  }

  #openWindow(): void {
    this.#window = { since: this.#now(), work: 0, ended: 0, failed: 0, waited: this.#queue.size > 0 }
  }
}
