/** better-sqlite3, and libsql, which has the same methods and brings its binary: https://github.com/tursodatabase/libsql-js */
import type { Row, SqlValue } from '../engine.ts'
import { type Connection, type Prepared, plainBytes } from './connection.ts'

/** The part that is used of a better-sqlite3 or libsql `Database`. */
export interface BetterSqliteDatabase {
  prepare(sql: string): BetterSqliteStatement
  exec(sql: string): unknown
  close(): unknown
  readonly inTransaction: boolean
  readonly name?: string
}

export interface BetterSqliteStatement {
  readonly reader: boolean
  safeIntegers(enabled: boolean): unknown
  all(...parameters: unknown[]): unknown[]
  run(...parameters: unknown[]): { changes: number | bigint }
}

export type BetterSqliteConstructor = new (path: string, options: { timeout: number }) => BetterSqliteDatabase

export function betterSqliteConnection(
  database: BetterSqliteDatabase,
  driver: 'better-sqlite3' | 'libsql',
): Connection {
  return {
    driver,
    // libsql cuts text at its first NUL when it reads.
    textHoldsNul: driver === 'better-sqlite3',
    endsHeldStatements: driver === 'better-sqlite3',
    prepare: sql => prepare(database, sql),
    exec: sql => void database.exec(sql),
    inTransaction: () => database.inTransaction,
    close: () => void database.close(),
  }
}

/** Whether the handle is libsql's, which alone can replicate. */
export function isLibsql(database: object): boolean {
  return 'syncUntil' in database
}

function prepare(database: BetterSqliteDatabase, sql: string): Prepared {
  const statement = database.prepare(sql)
  const { reader } = statement
  if (reader) statement.safeIntegers(true)
  return {
    reader,
    // One array: a single parameter that is an object would be read as names by libsql, which then ends the process.
    all: parameters => statement.all(parameters).map(row => withPlainBytes(row as Record<string, SqlValue>)),
    run: parameters => Number(statement.run(parameters).changes),
  }
}

function withPlainBytes(row: Record<string, SqlValue>): Row {
  for (const name in row) {
    const value: unknown = row[name]
    if (value instanceof Uint8Array || value instanceof ArrayBuffer) row[name] = plainBytes(value)
  }
  return row
}
