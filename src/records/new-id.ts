import { monotonicFactory } from 'ulid'

/**
 * Makes ULIDs in lower case, increasing within this factory: ids of operations, and with them parts of physical keys.
 * Made once and used often, since its own randomness is what costs.
 */
export function idFactory(now: () => number = Date.now): () => string {
  const next = monotonicFactory()
  return () => next(now()).toLowerCase()
}
