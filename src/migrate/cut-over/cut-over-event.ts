import type { StorageError } from '../../core/errors.ts'
import type { CutOverPhase, Side } from './phase.ts'
import type { ReadDifference } from './read-difference.ts'

/** What a cut-over tells while it works: for logs and metrics. */
export type CutOverEvent =
  /** This process holds another phase now. */
  | { readonly kind: 'phase'; readonly phase: CutOverPhase }
  /** The lease could not be renewed. Where it runs out, writes fail until it is renewed. */
  | { readonly kind: 'lease-not-renewed'; readonly error: StorageError }
  /** This process was silent for longer than its lease: a change did not wait for it. It begins again in the phase of the others. */
  | { readonly kind: 'lease-lost'; readonly phase: CutOverPhase }
  /** One side lacks what the other has, or still has what was deleted. The worker sees to it. */
  | { readonly kind: 'owed'; readonly key: string; readonly side: Side; readonly error: StorageError }
  | { readonly kind: 'settled'; readonly key: string; readonly side: Side }
  /** A compared read: the sides do not tell the same. */
  | { readonly kind: 'difference'; readonly difference: ReadDifference }
  | { readonly kind: 'compare-failed'; readonly key: string; readonly error: StorageError }
  | { readonly kind: 'worker-failed'; readonly error: StorageError }
