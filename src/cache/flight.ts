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
  readonly #results: Promise<ReadonlyMap<string, Signed>>
  #waiting = 0

  constructor(
    misses: readonly Miss[],
    startedAt: number,
    run: (misses: readonly Miss[], signal: AbortSignal) => Promise<ReadonlyMap<string, Signed>>,
  ) {
    this.#misses = new Map(misses.map(miss => [miss.name, miss]))
    this.#startedAt = startedAt
    this.#results = run(misses, this.#controller.signal)
    // Whoever waits sees its failure; there may be nobody left.
    this.#results.catch(() => {})
  }

  get names(): Iterable<string> {
    return this.#misses.keys()
  }

  /**
   * Whether a caller may wait for this signing who has just seen `generation` in the cache: nothing was deleted since
   * it began. As long as the flight has no generation it signs nothing.
   */
  takes(name: string, generation: string | undefined, now: number): boolean {
    const own = this.#misses.get(name)?.generation
    const young = now - this.#startedAt < MOST_MS && !this.#controller.signal.aborted
    return young && (own === undefined || own === generation)
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
