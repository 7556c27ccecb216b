import type { StorageError } from './errors.ts'
import type { OperationOptions } from './options.ts'

/**
 * The contract of everything that keeps copies of what was handed out: a CDN keeps bytes by URL, a cache keeps signed
 * URLs by key. After a delete, a replace or a move it is told what must no longer be served.
 *
 * An invalidation comes after the bytes are gone and never stands in their way: what fails is told again, later, from
 * the journal. That is why results are data, and why a repetition must be harmless.
 */

/** What must no longer be served: one object, by every name that it may be kept under. */
export interface InvalidationTarget {
  /** The object's physical key: a CDN in front of the bucket has it in its paths. */
  readonly key: string
  /** URL paths that were handed out: each begins with `/`, is percent-encoded, and has the query where it matters. */
  readonly paths: readonly string[]
  /** Surrogate keys or cache tags that the answers carried. Left out where there are no tags. */
  readonly tags: readonly string[]
  /**
   * URL paths below which everything must go: for an object with more variants than are counted one by one. Where
   * there is no such purge the target's result is `unsupported`.
   */
  readonly prefixes?: readonly string[]
  /**
   * Names this invalidation, not the object: the id of its journal row and its turn. The same target told again under
   * the same reference may cost nothing (an answer was lost); under another it is told in earnest, as it must be after
   * the settling time or when a path is used for a second object. Absent: each call is one of its own.
   */
  readonly reference?: string
}

/**
 * What became of one target. An error's `retryable` says whether to tell it again, and `retryAfterMs` not before when;
 * one that is not retryable needs a person: a wrong token, a path outside of the zone.
 */
export type InvalidationResult = { readonly ok: true } | { readonly ok: false; readonly error: StorageError }

export interface Invalidator {
  /** For logs and errors: `cloudflare`, `fastly`, … */
  readonly name: string
  /**
   * Tells that `targets` must no longer be served. One result for each, in their order; `ok` when everything of the
   * target was accepted, even where nothing was kept under it. What an answer says of a part of a batch is said of the
   * targets in that part alone; where that is unknown, of all in the batch.
   *
   * A path or a tag that can't be one is the error of its target too: it must not keep others from being told.
   *
   * Never throws for what the other side answers or fails to answer: that is in the results, as is `timeout` of what
   * was not confirmed within `timeoutMs`. Repeating is harmless, so whoever got no answer tells it again.
   *
   * @throws `invalid-argument` for what are no targets, with nothing sent; `aborted` when `signal` ends it: some may have been told
   */
  invalidate(
    targets: readonly InvalidationTarget[],
    options?: OperationOptions,
  ): Promise<InvalidationResult[]>
  /** Gives back what was opened here. What was handed in by the caller stays open. */
  close(): Promise<void>
}
