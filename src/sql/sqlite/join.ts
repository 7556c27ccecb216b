import { realpathSync } from 'node:fs'
import { invalidArgument, unsupported } from '../../core/errors.ts'
import type { BatchResult, Engine, JoinedBatchOptions, JoinedTransaction, Statement } from '../engine.ts'
import { wrapDatabase } from './open-connection.ts'
import { type Batch, runBatch } from './run-batch.ts'
import { Session } from './session.ts'
import { toSqliteError } from './sqlite-errors.ts'
import { isDatabase, type SqliteDatabase } from './sqlite-options.ts'

/** Whose limits hold for the values. */
type Holder = Pick<Engine, 'name' | 'textHoldsNul'>

/** What the engine brings to a transaction of the caller's. */
export interface JoinContext {
  /** Path of the engine's own file, or its handed database. */
  readonly path: string
  readonly handed: SqliteDatabase | undefined
  readonly now: () => number
  /** @throws `invalid-argument`, by what the caller's library can hold */
  readonly check: (statements: readonly Statement[], options: JoinedBatchOptions, holder: Holder) => Batch
  readonly checkQuery: (statement: Statement, holder: Holder) => void
}

/** Batches on the caller's own connection, inside the transaction that is open there, which we neither commit nor roll back. */
export function joinTransaction(handle: unknown, context: JoinContext): JoinedTransaction {
  if (!isDatabase(handle)) {
    throw unsupported('join', 'sqlite', 'needs the open database of better-sqlite3, libsql or node:sqlite')
  }
  const session = new Session(wrapDatabase(handle), false)
  const holder = { name: 'sqlite', textHoldsNul: session.connection.textHoldsNul }
  const assertOpen = () => {
    if (session.connection.inTransaction()) return
    throw invalidArgument(
      'join',
      'sqlite',
      'the database is in no transaction; run BEGIN IMMEDIATE on it first',
    )
  }
  assertOpen()
  if (handle !== context.handed) assertSameFile(session, context)
  return {
    blocksEngine: true,
    async batch(statements, options) {
      const batch = context.check(statements, options, holder)
      assertOpen()
      return inSavepoint(session, () => runBatch(session, batch, context.now()))
    },
    async query(statement) {
      context.checkQuery(statement, holder)
      assertOpen()
      try {
        return session.read(statement)
      } catch (error) {
        throw toSqliteError(error, 'query')
      }
    },
  }
}

/** A statement that fails undoes its batch and leaves the caller's transaction as it was. */
function inSavepoint(session: Session, run: () => BatchResult): BatchResult {
  const { connection } = session
  try {
    session.control('SAVEPOINT stowage_joined')
    const result = run()
    session.control('RELEASE stowage_joined')
    return result
  } catch (error) {
    if (connection.inTransaction()) {
      session.control('ROLLBACK TO stowage_joined')
      session.control('RELEASE stowage_joined')
    }
    throw toSqliteError(error, 'batch')
  }
}

function assertSameFile(session: Session, { path, handed }: JoinContext): void {
  const theirs = mainFile(session)
  const ours = handed === undefined ? realPath(path) : mainFile(new Session(wrapDatabase(handed), false))
  if (theirs !== '' && theirs === ours) return
  throw invalidArgument('join', 'sqlite', "the transaction is on another database than the engine's")
}

/** Empty for a database in memory, which nobody else can reach. */
function mainFile(session: Session): string {
  const [row] = session.read(["SELECT file FROM pragma_database_list WHERE name = 'main'"])
  const file = row?.file
  return typeof file === 'string' && file !== '' ? realPath(file) : ''
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return ''
  }
}
