import type { StorageError } from '../core/errors.ts'

/**
 * The error that speaks for several: one that another try may cure where there is one, since then another try is worth
 * it; of these the one that asks to wait longest.
 */
export function mostHopeful(failures: readonly StorageError[]): StorageError | undefined {
  const curable = failures.filter(error => error.retryable)
  if (curable.length === 0) return failures[0]
  return curable.reduce((latest, one) =>
    (one.retryAfterMs ?? 0) > (latest.retryAfterMs ?? 0) ? one : latest,
  )
}
