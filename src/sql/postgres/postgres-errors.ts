/** What PostgreSQL calls its failures, as ours: https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { type ErrorCode, StorageError } from '../../core/errors.ts'
import { toStorageError } from '../../core/translate.ts'
import { sqlStateOf } from './session.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly retryable?: boolean
  /** In place of PostgreSQL's own words, where these help nobody or show a value. */
  readonly message?: string
}

const VALUE_REFUSED = 'a value does not fit the type it is used as; nothing happened'

/** By code, else by class, which are the first two signs. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '0A': { code: 'invalid-argument' },
  '21': { code: 'invalid-argument' },
  // PostgreSQL's words would show the value.
  '22': { code: 'invalid-argument', message: VALUE_REFUSED },
  '22012': { code: 'invalid-argument', message: 'division by zero; nothing happened' },
  // Not retryable: the same rows break the same constraint.
  '23': { code: 'conflict', retryable: false },
  '25001': { code: 'invalid-argument' },
  '25006': { code: 'unavailable', message: 'the server takes no writes: a standby, or set to read only' },
  '25P01': {
    code: 'invalid-argument',
    message: 'no transaction is open on this connection; send BEGIN first',
  },
  '25P02': { code: 'conflict', message: 'the transaction has failed before; roll it back', retryable: false },
  '28': { code: 'unauthenticated', message: 'the server refuses the user or the password' },
  '3D': { code: 'invalid-argument', message: 'the server has no such database' },
  '40': { code: 'conflict', message: 'other transactions were in the way each time; nothing happened' },
  '42': { code: 'invalid-argument' },
  '42501': { code: 'permission-denied' },
  '53': { code: 'unavailable', message: 'the server lacks a resource (disk, memory or connections)' },
  '54': { code: 'too-large' },
  '55P03': { code: 'timeout', message: 'a lock was not had in time; nothing happened' },
  '57014': { code: 'timeout', message: 'the server ended a statement that took too long; nothing happened' },
  '58': { code: 'unavailable', message: "the server's disk failed" },
}

/**
 * PostgreSQL's words name tables, columns and constraints; where they would show a value, ours stand in their place
 * and the cause is left out. `DETAIL`, which shows whole rows, is never repeated.
 */
export function toPostgresError(
  error: unknown,
  operation: string,
  signal: AbortSignal | undefined,
): StorageError {
  const state = sqlStateOf(error)
  const details = { operation, provider: 'postgres' }
  if (state === undefined) return toStorageError(error, { ...details, signal, translate: connectionFailure })
  const meaning = MEANINGS[state] ?? MEANINGS[state.slice(0, 2)] ?? { code: 'internal' }
  const said = meaning.message ?? (error as Error).message
  return new StorageError(meaning.code, `${operation}: PostgreSQL: ${said} (${state})`, {
    ...details,
    ...(meaning.message === VALUE_REFUSED ? {} : { cause: error }),
    ...(meaning.retryable === undefined ? {} : { retryable: meaning.retryable }),
  })
}

/** Whatever a client throws that is no answer of the server's: the connection could not be had, or broke. */
function connectionFailure(error: unknown) {
  const code = String((error as { code?: unknown } | null)?.code)
  if (/^(28|3D)/.test(code)) return undefined
  return isDefect(error)
    ? undefined
    : { code: 'unavailable' as const, message: 'no connection, or it broke; nothing happened' }
}

/** A mistake in a program, not a broken connection. */
function isDefect(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

export function isMissingOperations(error: unknown): boolean {
  return sqlStateOf(error) === '42P01' && /\bstowage_operations\b/.test((error as Error).message)
}

/** Deadlocks, serialization failures, and a plan that a change of the schema has overtaken: nothing happened, and the same may work now. */
export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error)
  const { routine } = (error ?? {}) as { routine?: unknown }
  return state === '40001' || state === '40P01' || (state === '0A000' && routine === 'RevalidateCachedQuery')
}

/** `refused`: the condition of `beginOperation` did not hold. `repeated`: its id is taken. */
export function operationVerdict(error: unknown): 'refused' | 'repeated' | undefined {
  const parts = (error ?? {}) as Record<'table' | 'table_name' | 'column' | 'column_name', unknown>
  if ((parts.table ?? parts.table_name) !== 'stowage_operations') return undefined
  const state = sqlStateOf(error)
  if (state === '23505') return 'repeated'
  return state === '23502' && (parts.column ?? parts.column_name) === 'state' ? 'refused' : undefined
}
