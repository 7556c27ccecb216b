import { createHash } from 'node:crypto'
import { asking } from './session.ts'

/**
 * Takes an advisory lock for each name until the transaction ends. One statement, in the order of the keys, so that no
 * two batches wait for each other.
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export function takeLocks(names: readonly string[]) {
  const keys = [...new Set(names.map(lockKey))].sort((a, b) => (a < b ? -1 : 1))
  return asking(
    "SELECT pg_advisory_xact_lock(key) FROM unnest(string_to_array(?, ',')::int8[]) AS key",
    keys.join(','),
  )
}

/** PostgreSQL knows locks by a 64-bit number. Names that share one wait without need; nothing worse. */
function lockKey(name: string): bigint {
  return createHash('sha256').update(`stowage:${name}`).digest().readBigInt64BE(0)
}
