/** What SQLite calls its failures, as ours: https://www.sqlite.org/rescode.html */
import { type ErrorCode, StorageError } from '../../core/errors.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly retryable?: boolean
  /** In place of SQLite's own words, where these help nobody. */
  readonly message?: string
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: { code: 'invalid-argument' },
  3: { code: 'permission-denied' },
  5: { code: 'unavailable', message: 'another connection holds the database; nothing happened' },
  6: { code: 'unavailable', message: 'another statement holds the table; nothing happened' },
  7: { code: 'unavailable', message: 'out of memory; nothing happened' },
  8: { code: 'permission-denied', message: 'the database is read-only' },
  9: { code: 'aborted', message: 'interrupted; nothing happened' },
  10: { code: 'unavailable', message: 'the disk failed; nothing happened' },
  11: { code: 'internal', message: 'the database file is damaged; restore it from a backup' },
  13: { code: 'unavailable', retryable: false, message: 'the disk is full; nothing happened' },
  14: {
    code: 'unavailable',
    retryable: false,
    message: 'the database file cannot be opened; does its folder exist, and may this process write there?',
  },
  17: { code: 'unavailable', message: 'the schema changed meanwhile; nothing happened' },
  18: { code: 'too-large' },
  // Not retryable: the same rows break the same constraint.
  19: { code: 'conflict', retryable: false },
  20: { code: 'invalid-argument' },
  23: { code: 'permission-denied' },
  25: { code: 'invalid-argument' },
  26: { code: 'internal', message: 'the file is not an SQLite database' },
}

/** Result codes by name, as better-sqlite3 and libsql give them, with what follows the name: `SQLITE_BUSY_SNAPSHOT`. */
const NAMES: readonly (readonly [string, number])[] = [
  ['SQLITE_ERROR', 1],
  ['SQLITE_PERM', 3],
  ['SQLITE_BUSY', 5],
  ['SQLITE_LOCKED', 6],
  ['SQLITE_NOMEM', 7],
  ['SQLITE_READONLY', 8],
  ['SQLITE_INTERRUPT', 9],
  ['SQLITE_IOERR', 10],
  ['SQLITE_CORRUPT', 11],
  ['SQLITE_FULL', 13],
  ['SQLITE_CANTOPEN', 14],
  ['SQLITE_SCHEMA', 17],
  ['SQLITE_TOOBIG', 18],
  ['SQLITE_CONSTRAINT', 19],
  ['SQLITE_MISMATCH', 20],
  ['SQLITE_AUTH', 23],
  ['SQLITE_RANGE', 25],
  ['SQLITE_NOTADB', 26],
]

const CANTOPEN = 14
export const IOERR = 10
export const CONSTRAINT = 19

/** SQLite's primary result code of a thrown value, or undefined where it is no error of SQLite's. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || error instanceof StorageError) return undefined
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  // node:sqlite: the number, extended in the higher bits.
  if (typeof errcode === 'number') return errcode & 0xff
  if (typeof code !== 'string') return undefined
  return NAMES.find(([name]) => code === name || code.startsWith(`${name}_`))?.[1]
}

/** A database that was handed over is inside a transaction that is not ours to write or to see. */
export function foreignTransaction(): StorageError {
  const error = new StorageError(
    'unavailable',
    'SQLite: the open database that was given is inside a transaction of yours; use join(), or end it first',
    { provider: 'sqlite' },
  )
  foreign.add(error)
  return error
}

/** `instanceof` cannot tell a subclass of StorageError from the others. */
const foreign = new WeakSet<object>()

/** Held by another connection; or, on a database that was handed over, by a loop over its rows that goes on. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  if (code === 5 || code === 6 || foreign.has(error as object)) return true
  return error instanceof TypeError && /busy executing a query/.test(error.message)
}

/** SQLite's words name tables, columns and tokens of the statement, never the value of a parameter. */
export function toSqliteError(error: unknown, operation: string): StorageError {
  if (error instanceof StorageError) return error
  return asStorageError(error, operation, resultCode(error))
}

/** Of an error without a code, thrown by what opens the file. */
export function cannotOpen(error: unknown): StorageError {
  return asStorageError(error, 'open', CANTOPEN)
}

function asStorageError(error: unknown, operation: string, code: number | undefined): StorageError {
  const said = error instanceof Error ? error.message : 'failed for an unknown reason'
  const meaning: Meaning = (code === undefined ? undefined : MEANINGS[code]) ?? { code: 'internal' }
  return new StorageError(meaning.code, `${operation}: SQLite: ${meaning.message ?? said}`, {
    operation,
    provider: 'sqlite',
    cause: error,
    ...(meaning.retryable === undefined ? {} : { retryable: meaning.retryable }),
  })
}
