/** `node:sqlite`, part of Node from 22.13 on: https://nodejs.org/api/sqlite.html */
import type { Row, SqlValue } from '../engine.ts'
import type { Connection, Prepared } from './connection.ts'

/** The part that is used. */
export interface NodeSqliteDatabase {
  prepare(sql: string): NodeSqliteStatement
  exec(sql: string): void
  close(): void
  /** From Node 22.16 on. */
  readonly isTransaction?: boolean
}

export interface NodeSqliteStatement {
  setReadBigInts(enabled: boolean): void
  all(...parameters: SqlValue[]): unknown[]
  run(...parameters: SqlValue[]): { changes: number | bigint }
  /** From Node 22.16 on. */
  columns?(): unknown[]
}

interface NodeSqlite {
  DatabaseSync: new (path: string) => NodeSqliteDatabase
}

/** The module, or undefined on a Node without it. Node's warning that it is experimental is for who chose it, not for our users. */
export function findNodeSqlite(): NodeSqlite | undefined {
  const warn = process.emitWarning
  // Loading is synchronous, so no other code runs while this stands.
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).startsWith('SQLite')) return
    Reflect.apply(warn, process, [warning, ...rest])
  }) as typeof process.emitWarning
  try {
    return process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown as NodeSqlite | undefined
  } finally {
    process.emitWarning = warn
  }
}

export function nodeSqliteConnection(database: NodeSqliteDatabase): Connection {
  return {
    driver: 'node:sqlite',
    // Node 22 cuts text at its first NUL, Node 24 does not.
    textHoldsNul: textComesBackWhole(),
    endsHeldStatements: true,
    prepare: sql => prepare(database, sql),
    exec: sql => database.exec(sql),
    inTransaction: () => database.isTransaction ?? inTransaction(database),
    close: () => database.close(),
  }
}

function prepare(database: NodeSqliteDatabase, sql: string): Prepared {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  return {
    // Without `columns`, RETURNING anywhere is taken for rows: `all` runs any statement.
    reader: statement.columns
      ? statement.columns().length > 0
      : /^\s*(?:SELECT|WITH|VALUES|EXPLAIN)|RETURNING/i.test(sql),
    // Its rows have no prototype; those of the others do.
    all: parameters => statement.all(...parameters.map(bindable)).map(row => ({ ...(row as Row) })),
    run: parameters => Number(statement.run(...parameters.map(bindable)).changes),
  }
}

/** Node 22 takes an empty array with no memory behind it for NULL. */
function bindable(value: SqlValue): SqlValue {
  return value instanceof Uint8Array && value.length === 0 ? new Uint8Array(new ArrayBuffer(1), 0, 0) : value
}

/** Asked in memory: the file may be held by another. */
function textComesBackWhole(): boolean {
  const nodeSqlite = findNodeSqlite()
  if (nodeSqlite === undefined) return false
  const database = new nodeSqlite.DatabaseSync(':memory:')
  const [row] = database.prepare('SELECT ? AS text').all('a\0b') as { text: string }[]
  database.close()
  return row?.text === 'a\0b'
}

/** Before Node 22.16 nothing tells but a BEGIN that is refused. */
function inTransaction(database: NodeSqliteDatabase): boolean {
  try {
    database.exec('BEGIN')
  } catch {
    return true
  }
  database.exec('ROLLBACK')
  return false
}
