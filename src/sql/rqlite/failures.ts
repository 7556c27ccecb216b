/** What rqlite and SQLite call their failures, as ours. */
import { type ErrorCode, StorageError, type StorageErrorDetails } from '../../core/errors.ts'
import type { Answer } from './answer-json.ts'

/** It is unknown whether a write happened. */
export class Unknown extends Error {
  override readonly name = 'Unknown'
}

/** Nothing happened, and the same may succeed later or at another node. */
export class NotNow extends Error {
  override readonly name = 'NotNow'
}

interface Meaning {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly retryable?: boolean
  /** In place of SQLite's own words, where these help nobody. */
  readonly message?: string
}

/** SQLite's sentences: rqlite passes no numbers on. They name tables, columns and tokens, never a parameter's value. */
const MEANINGS: readonly Meaning[] = [
  // Not retryable: the same rows break the same constraint.
  { pattern: /constraint failed/, code: 'conflict', retryable: false },
  {
    pattern: /attempt to change database via query/,
    code: 'invalid-argument',
    message: 'a query must not write',
  },
  { pattern: /database is locked|database table is locked/, code: 'unavailable' },
  { pattern: /database or disk is full/, code: 'unavailable', retryable: false },
  { pattern: /disk I\/O error|out of memory|interrupted/, code: 'unavailable' },
  { pattern: /malformed|not a database/, code: 'internal' },
  { pattern: /not authorized/, code: 'permission-denied' },
  { pattern: /too big/, code: 'too-large' },
  {
    pattern: /transaction within a transaction/,
    code: 'unavailable',
    message:
      'another client has left a BEGIN open, which all clients of rqlite share; a COMMIT or ROLLBACK ends it',
  },
  { pattern: /disallowed pragma/, code: 'invalid-argument' },
  {
    pattern:
      /no such|syntax error|has no column|ambiguous|already exists|not enough args|unrecognized token|incomplete|duplicate column|mismatch|may not|cannot|too many|misuse|values for|supplied|must be|wrong number|default value|too large|parser/i,
    code: 'invalid-argument',
  },
]

/** Errors beside `results` after which nothing has happened. All others leave it open. */
const NOTHING_HAPPENED = /constraint failed|disallowed pragma|transaction within a transaction/

/** An error of SQLite's about one statement. */
export function statementError(operation: string, said: string): StorageError {
  const meaning = MEANINGS.find(({ pattern }) => pattern.test(said))
  return failure(meaning?.code ?? 'internal', operation, `SQLite: ${meaning?.message ?? said}`, {
    ...(meaning?.retryable === undefined ? {} : { retryable: meaning.retryable }),
  })
}

/** An error beside `results`. `Unknown` where the write may have happened, or may yet. */
export function topLevelError(operation: string, said: string): StorageError | Unknown {
  return NOTHING_HAPPENED.test(said) ? statementError(operation, said) : new Unknown(said)
}

/** What an answer with a status other than 200 and 301 says. */
export function statusError(
  operation: string,
  status: number,
  body: string,
): StorageError | Unknown | NotNow {
  const said = body.trim().slice(0, 200)
  // 503, and 500 with `?redirect`: given before anything is tried.
  if (/leader not found/.test(said)) return new NotNow('no leader is known; the cluster may be electing one')
  if (/unsupported value: [+-]Inf/.test(said)) {
    return failure('unsupported', operation, 'the answer holds an infinite number, which rqlite can’t send', {
      status,
    })
  }
  if (status === 400)
    return failure('invalid-argument', operation, `rqlite refuses the request: ${said}`, { status })
  if (status === 413)
    return failure('too-large', operation, 'the request is larger than the server takes', { status })
  if (status === 429) return failure('rate-limited', operation, 'too many requests', { status })
  if (status < 500 && status !== 408)
    return failure('internal', operation, `unexpected answer ${status} ${said}`, { status })
  return new Unknown(`answer ${status} ${said}`)
}

/** @throws the first error of an answer of 200, which is no success by itself */
export function checkResults(operation: string, answer: Answer, statements: number): void {
  if (answer.error !== undefined) throw topLevelError(operation, answer.error)
  const error = answer.results?.find(result => result.error !== undefined)?.error
  if (error !== undefined) throw statementError(operation, error)
  if (answer.results?.length !== statements)
    throw new Unknown(`${answer.results?.length ?? 'no'} results to ${statements} statements`)
}

export function failure(
  code: ErrorCode,
  operation: string,
  problem: string,
  details: StorageErrorDetails = {},
): StorageError {
  return new StorageError(code, `${operation}: ${problem}`, { operation, provider: 'rqlite', ...details })
}
