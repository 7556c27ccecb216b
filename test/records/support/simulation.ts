/**
 * Runs clients of one store and one database step by step. Every call that a client makes to either waits at a gate;
 * exactly one is let through at a time, so a run is the same each time, and any call can fail in any way.
 */
import { VirtualClock } from './virtual-clock.ts'

/** One call of a client to provider, engine or invalidator, before it has any effect. */
export interface Gate {
  readonly client: string
  /** Such as `provider.upload` or `engine.batch`. */
  readonly call: string
  /** Counted for each client from 0. */
  readonly index: number
  /** What the call was about, for messages. */
  readonly about: string
  /** Whether a batch carries an id, with which a lost answer can be resolved. */
  readonly hasId: boolean
  /** Whether the call changes anything. */
  readonly writes: boolean
  /** The effect itself. */
  perform(): Promise<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
  /** What the client gets where the call fails without, or in spite of, its effect. */
  failures: CallFailures
}

export interface CallFailures {
  /** Nothing happened. */
  none(): unknown
  /** It is unknown whether it happened. Returns a value where the failure is an answer: see `Answer`. */
  unknown(): unknown
  /** The other side refuses for good; undefined where it never does. */
  refused?: () => unknown
}

/** A failure that the contract makes an answer, such as the results of `deleteMany`. */
export class Answer {
  constructor(readonly value: unknown) {}
}

/**
 * What happens at a gate.
 *
 * - `pass`: the call works.
 * - `fail`: it fails and nothing happens. `refuse`: the same, for good.
 * - `lose`: it happens and its answer is lost. `resolve`: so, and the engine finds out by the id.
 * - `twice`, `twice-last`: it happens twice; the first answer, or the second, arrives.
 * - `late`: it fails with an unknown outcome, and happens later.
 * - `crash-before`, `crash-after`, `crash-twice`, `crash-late`: the client ends there.
 */
export type Step =
  | 'pass'
  | 'fail'
  | 'refuse'
  | 'lose'
  | 'resolve'
  | 'twice'
  | 'twice-last'
  | 'late'
  | 'crash-before'
  | 'crash-after'
  | 'crash-twice'
  | 'crash-late'

export class Simulation {
  readonly clock = new VirtualClock()
  /** Effects that are still on their way, though nobody waits for them. */
  readonly late: Gate[] = []
  waiting: Gate[] = []
  /** Called after every effect. */
  afterEffect: (gate: Gate) => Promise<void> | void = () => {}
  readonly #dead = new Set<string>()
  readonly #calls = new Map<string, number>()

  enter(gate: Omit<Gate, 'resolve' | 'reject' | 'index'>): Promise<unknown> {
    // Whoever has ended makes no further call, and gets no further answer.
    if (this.#dead.has(gate.client)) return new Promise(() => {})
    const index = this.#calls.get(gate.client) ?? 0
    this.#calls.set(gate.client, index + 1)
    return new Promise((resolve, reject) => this.waiting.push({ ...gate, index, resolve, reject }))
  }

  callsOf(client: string): number {
    return this.#calls.get(client) ?? 0
  }

  crash(client: string): void {
    this.#dead.add(client)
    this.clock.forget(client)
    this.waiting = this.waiting.filter(gate => gate.client !== client)
  }

  isDead(client: string): boolean {
    return this.#dead.has(client)
  }

  /** Lets one call through. */
  async take(gate: Gate, step: Step): Promise<void> {
    this.waiting = this.waiting.filter(other => other !== gate)
    if (step.startsWith('crash-')) this.crash(gate.client)
    switch (step) {
      case 'pass':
        return this.#settle(gate, await this.#perform(gate))
      case 'fail':
        return this.#fail(gate, gate.failures.none())
      case 'refuse':
        return this.#fail(gate, (gate.failures.refused ?? gate.failures.none)())
      case 'lose':
        await this.#perform(gate)
        return this.#fail(gate, gate.failures.unknown())
      case 'resolve':
        await this.#perform(gate)
        return this.#settle(gate, await this.#perform(gate))
      case 'twice': {
        const first = await this.#perform(gate)
        await this.#perform(gate)
        return this.#settle(gate, first)
      }
      case 'twice-last': {
        const first = await this.#perform(gate)
        const second = await this.#perform(gate)
        // A repetition that is refused because of the first is told as the first: the contract says so.
        return this.#settle(gate, 'error' in second ? first : second)
      }
      case 'late':
        this.late.push(gate)
        return this.#fail(gate, gate.failures.unknown())
      case 'crash-before':
        return
      case 'crash-after':
        await this.#perform(gate)
        return
      case 'crash-twice':
        await this.#perform(gate)
        await this.#perform(gate)
        return
      case 'crash-late':
        this.late.push(gate)
    }
  }

  /** A late effect arrives. */
  async land(gate: Gate): Promise<void> {
    this.late.splice(this.late.indexOf(gate), 1)
    await this.#perform(gate)
  }

  /** Ends when `promise` has. Calls pass in the order in which they are made, but for what `stepOf` says. */
  async run<T>(promise: Promise<T>, stepOf: (gate: Gate) => Step = () => 'pass'): Promise<T> {
    let isSettled = false
    promise.then(
      () => (isSettled = true),
      () => (isSettled = true),
    )
    await this.until(() => isSettled, stepOf)
    return promise
  }

  async until(done: () => boolean, stepOf: (gate: Gate) => Step = () => 'pass'): Promise<void> {
    for (let idle = 0; ; ) {
      await turn()
      if (done()) return
      const [gate] = this.waiting
      if (gate !== undefined) {
        idle = 0
        await this.take(gate, stepOf(gate))
      } else if (++idle > 2) {
        if (!this.clock.skip()) throw new Error('nobody does anything and nobody waits for anything')
        idle = 0
      }
    }
  }

  async #perform(gate: Gate): Promise<Outcome> {
    try {
      const outcome = { value: await gate.perform() }
      await this.afterEffect(gate)
      return outcome
    } catch (error) {
      return { error }
    }
  }

  #settle(gate: Gate, outcome: Outcome): void {
    if ('error' in outcome) gate.reject(outcome.error)
    else gate.resolve(outcome.value)
  }

  #fail(gate: Gate, failure: unknown): void {
    if (failure instanceof Answer) gate.resolve(failure.value)
    else gate.reject(failure)
  }
}

type Outcome = { value: unknown } | { error: unknown }

/** All that follows from what has just been answered has run when this resolves: none of it waits for a timer. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
