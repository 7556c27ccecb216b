import type { CacheOutcome } from '../core/cache-outcomes.ts'
import { untilEnded } from '../core/deadline.ts'
import type { StorageError } from '../core/errors.ts'
import type { SignedUrl } from '../core/results.ts'

/** What came of one key: a URL, and whether the cache did its part; or the error of signing it. */
export type Signed =
  | { readonly ok: true; readonly value: SignedUrl; readonly outcome: CacheOutcome }
  | { readonly ok: false; readonly error: StorageError }

/** One entry that has to be signed. */
export interface Miss {
  readonly key: string
  /** Key of the object's generation. */
  readonly object: string
  /** Key of the entry. */
  readonly name: string
  /** Undefined where there is none yet; one is agreed on before anything is signed. */
  generation: string | undefined
  /** Keys of the object's under which something lies that is of no use any more. */
  readonly stale: readonly string[]
}

/** Milliseconds after which nobody joins a signing that does not end. */
const MOST_MS = 30_000

/**
 * A signing of one batch, which all wait for that ask for one of its keys. It ends early only when each of them has
 * gone: that one of them is aborted is no matter to the others.
 */
export class Flight {
  readonly #misses: ReadonlyMap<string, Miss>
  readonly #controller = new AbortController()
  readonly #startedAt: number
  readonly #turn: number
  readonly #results: Promise<ReadonlyMap<string, Signed>>
  #waiting = 0

  constructor(
    misses: readonly Miss[],
    /** By a clock, and among the calls: who has a lower number has begun to ask before this signing began. */
    { startedAt, turn }: { startedAt: number; turn: number },
    run: (misses: readonly Miss[], signal: AbortSignal) => Promise<ReadonlyMap<string, Signed>>,
  ) {
    this.#misses = new Map(misses.map(miss => [miss.name, miss]))
    this.#startedAt = startedAt
    this.#turn = turn
    this.#results = run(misses, this.#controller.signal)
    // Whoever waits sees its failure; there may be nobody left.
    this.#results.catch(() => {})
  }

  get names(): Iterable<string> {
    return this.#misses.keys()
  }

  /**
   * Whether a caller may wait for this signing who began to ask in `turn` and has seen `generation` in the cache since:
   * nothing that was deleted before may come of it. As long as the flight has no generation it signs nothing, but what is
   * on its way to being agreed on may be gone already for who begins to ask later, and with it what others kept under it.
   */
  takes(name: string, generation: string | undefined, turn: number, now: number): boolean {
    const own = this.#misses.get(name)?.generation
    const young = now - this.#startedAt < MOST_MS && !this.#controller.signal.aborted
    return young && (own === undefined ? turn < this.#turn : own === generation)
  }

  async results(signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Signed>> {
    this.#waiting++
    try {
      return await untilEnded(this.#results, signal)
    } finally {
      if (--this.#waiting === 0) this.#controller.abort()
    }
  }

  /** Resolves when it has ended, however. */
  over(): Promise<unknown> {
    return this.#results.catch(() => {})
  }
}
