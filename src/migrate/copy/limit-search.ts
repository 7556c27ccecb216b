/**
 * Looks for the least concurrency that brings the most, from the throughput of one window after another. See
 * docs/decisions/concurrency-is-found.md.
 */

export interface LimitBounds {
  readonly least: number
  readonly most: number
  readonly start: number
}

/** Below this gain, doubling has brought nothing. */
const START_GAIN = 1.12
const GAIN = 1.05
/** What a lower limit may cost and still be the better one. */
const LOSS = 0.98
/** Windows between two tries of another limit. */
const CALM_WINDOWS = 6
/** The same where a store has refused what would be tried: each try costs refusals. */
const WARNED_WINDOWS = 100
/** Windows that a try of another limit gets. The first has requests in it that were sent under the old one. */
const TRY_WINDOWS = 2

type Phase = 'start' | 'calm' | 'higher' | 'lower' | 'recover'

export class LimitSearch {
  readonly #bounds: LimitBounds
  #limit: number
  #phase: Phase = 'start'
  /** Windows since the limit was last changed. */
  #windows = 0
  /** What the present limit is compared with. */
  #known = { rate: 0, limit: 0 }
  /** The limit at which the store refused last. */
  #refusedAt = Number.POSITIVE_INFINITY
  #reason = ''

  constructor(bounds: LimitBounds) {
    this.#bounds = bounds
    this.#limit = this.#bounded(bounds.start)
  }

  get limit(): number {
    return this.#limit
  }

  /** Why the limit is what it is. */
  get reason(): string {
    return this.#reason
  }

  /** A window ended in which somebody had to wait. `rate`: work in a unit of time. */
  measured(rate: number): void {
    this.#windows++
    const known = this.#known
    switch (this.#phase) {
      case 'start':
        if (rate > known.rate * START_GAIN) {
          this.#known = { rate, limit: this.#limit }
          if (this.#limit === this.#bounds.most) this.#rest(this.#limit, 'no more are allowed')
          else this.#change(this.#limit * 2, 'more at once brings more')
        } else if (this.#windows > TRY_WINDOWS) this.#rest(known.limit, 'more at once brings no more')
        return
      case 'calm':
        this.#known = { rate: known.rate === 0 ? rate : (known.rate + rate) / 2, limit: this.#limit }
        if (this.#windows < (this.#mayRise() ? CALM_WINDOWS : WARNED_WINDOWS)) return
        this.#phase = 'higher'
        this.#change(this.#limit * 1.25, 'to see whether more brings more')
        return
      case 'higher':
        if (this.#windows < TRY_WINDOWS) return
        if (rate > known.rate * GAIN) this.#rest(this.#limit, 'more at once brings more')
        else {
          this.#phase = 'lower'
          this.#change(known.limit * 0.8, 'to see whether less is enough')
        }
        return
      case 'lower':
        if (this.#windows < TRY_WINDOWS) return
        if (rate < known.rate * LOSS) this.#rest(known.limit, 'less at once brings less')
        else this.#rest(this.#limit, 'less at once brings as much')
        return
      case 'recover':
        if (this.#mayRise()) this.#change(this.#limit * 1.25, 'the store takes it')
        else this.#rest(this.#limit, 'a little more was refused')
    }
  }

  /** The store takes no more, or fails too often. */
  refused(reason: string): void {
    this.#refusedAt = this.#limit
    this.#phase = 'recover'
    this.#change(this.#limit / 2, reason)
  }

  /** Whether a quarter more is well below what was refused. */
  #mayRise(): boolean {
    return this.#limit * 1.25 < this.#refusedAt * 0.9
  }

  #rest(limit: number, reason: string): void {
    this.#phase = 'calm'
    this.#known = { rate: 0, limit }
    this.#change(limit, reason)
  }

  #change(limit: number, reason: string): void {
    this.#windows = 0
    this.#limit = this.#bounded(limit)
    this.#reason = reason
  }

  #bounded(limit: number): number {
    const { least, most } = this.#bounds
    return Math.round(Math.min(most, Math.max(least, limit)))
  }
}
