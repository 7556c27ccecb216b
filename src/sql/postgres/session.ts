/** What the engine needs of a client. Each of pg, postgres.js, PGlite, Drizzle and Kysely is brought to this. */
import { setMaxListeners } from 'node:events'
import { untilEnded } from '../../core/deadline.ts'
import type { StatementResult } from '../engine.ts'
import { type PgStatement, toPgStatement } from './pg-statement.ts'

/** Runs statements on one connection, in order and in as few round trips as the client allows. */
export interface Session {
  /** Whether what follows a failure is left out; else the server sees it, and refuses all but COMMIT, which rolls back. */
  readonly stopsAtFailure: boolean
  /** @throws what the first statement that fails throws; those behind it have not happened or will be rolled back */
  run(statements: readonly PgStatement[]): Promise<readonly StatementResult[]>
}

/** A connection that belongs to the engine until it is given back. */
export interface Connection extends Session {
  release(): void
  /** Broken, or with statements under way: nobody may use it again. */
  discard(): void
}

export interface TransactionOptions {
  /**
   * COMMIT goes with the statements: one round trip, and when the connection breaks nobody knows what happened. Else it
   * is sent once the statements have been answered, so that up to then nothing has happened.
   */
  readonly together: boolean
  readonly signal: AbortSignal | undefined
}

/** A client that makes or holds connections. */
export interface Client {
  /** @throws `TransactionFailure` */
  transaction(
    statements: readonly PgStatement[],
    options: TransactionOptions,
  ): Promise<readonly StatementResult[]>
  query(statement: PgStatement, signal: AbortSignal | undefined): Promise<StatementResult>
  close(): Promise<void>
}

/** What ended a transaction, and whether COMMIT may have reached the server before. */
export class TransactionFailure extends Error {
  readonly commitSent: boolean
  constructor(cause: unknown, commitSent: boolean) {
    super('the transaction failed', { cause })
    this.commitSent = commitSent
  }
}

/**
 * READ COMMITTED whatever the server's default is: each statement sees what was committed before it began, so a
 * condition that is asked after the locks were taken sees what the locks' last holder left.
 */
const BEGIN: PgStatement = plain('BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE')
const COMMIT: PgStatement = plain('COMMIT')
const ROLLBACK: PgStatement = plain('ROLLBACK')

/** A statement of the engine's own that `readStatementText` would refuse. */
export function plain(sql: string): PgStatement {
  return { sql, parameters: [], kind: 'schema', givesRows: false }
}

/** A statement of the engine's own that asks. */
export function asking(sql: string, ...parameters: string[]): PgStatement {
  return toPgStatement([sql, ...parameters])
}

/** A client whose connections are taken one by one. `acquire` may outlive the signal: the connection is then returned. */
export function clientOver(acquire: () => Promise<Connection>, close: () => Promise<void>): Client {
  const take = async (signal: AbortSignal | undefined) => {
    const acquiring = acquire()
    try {
      return await untilEnded(acquiring, signal)
    } catch (error) {
      acquiring.then(
        connection => connection.release(),
        () => {},
      )
      throw error
    }
  }
  return {
    close,
    async query(statement, signal) {
      const connection = await take(signal)
      try {
        const [result] = await untilEnded(connection.run([statement]), signal)
        connection.release()
        return result!
      } catch (error) {
        if (isServerError(error)) connection.release()
        else connection.discard()
        throw error
      }
    },
    async transaction(statements, { together, signal }) {
      if (signal !== undefined) setMaxListeners(0, signal)
      let commitSent = false
      let connection: Connection | undefined
      try {
        connection = await take(signal)
        commitSent = together
        const results = await untilEnded(
          connection.run([BEGIN, ...statements, ...(together ? [COMMIT] : [])]),
          signal,
        )
        if (!together) {
          commitSent = true
          await untilEnded(connection.run([COMMIT]), signal)
        }
        connection.release()
        return results.slice(1, statements.length + 1)
      } catch (error) {
        if (connection !== undefined)
          await giveBack(connection, error, commitSent && !connection.stopsAtFailure)
        throw new TransactionFailure(error, commitSent)
      }
    },
  }
}

async function giveBack(connection: Connection, error: unknown, hasEnded: boolean): Promise<void> {
  if (!isServerError(error)) return connection.discard()
  if (hasEnded) return connection.release()
  try {
    await connection.run([ROLLBACK])
    connection.release()
  } catch {
    connection.discard()
  }
}

/** Whether the server answered with this error, so that the connection is whole: the three clients' errors alike. */
export function isServerError(error: unknown): boolean {
  return sqlStateOf(error) !== undefined
}

/**
 * The five signs of an error that the server sent, but not of one with which it ends the connection (classes 08 and
 * 57P). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown }
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || severity === undefined) return undefined
  return code.startsWith('08') || code.startsWith('57P') ? undefined : code
}
