import { StorageError } from '../../core/errors.ts'
import { loadPeer } from '../../core/peer.ts'
import { type BetterSqliteConstructor, betterSqliteConnection, isLibsql } from './better-sqlite3.ts'
import type { Connection, DriverName } from './connection.ts'
import { findNodeSqlite, nodeSqliteConnection } from './node-sqlite.ts'
import { cannotOpen, resultCode } from './sqlite-errors.ts'
import type { SqliteDatabase } from './sqlite-options.ts'

/** Opens `path` with the library that was asked for, else with the first that is there. @throws `unsupported` */
export async function openConnection(path: string, driver: DriverName | undefined): Promise<Connection> {
  if (driver === 'better-sqlite3') return openBetterSqlite(path)
  if (driver === 'libsql') return openLibsql(path)
  const nodeSqlite = findNodeSqlite()
  if (nodeSqlite !== undefined) return nodeSqliteConnection(opened(() => new nodeSqlite.DatabaseSync(path)))
  if (driver === 'node:sqlite') throw unsupported('this Node has no node:sqlite; it comes with Node 22.13')
  try {
    return await openBetterSqlite(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  try {
    return await openLibsql(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  throw unsupported(
    'this Node has no node:sqlite; use Node 22.13 or later, or run: npm install better-sqlite3 (or libsql, which needs no compiler)',
  )
}

/** A connection over a database that somebody else opened. */
export function wrapDatabase(database: SqliteDatabase): Connection {
  if (!('inTransaction' in database)) return nodeSqliteConnection(database)
  return betterSqliteConnection(database, isLibsql(database) ? 'libsql' : 'better-sqlite3')
}

async function openBetterSqlite(path: string): Promise<Connection> {
  const { default: Database } = await loadPeer(
    () => import('better-sqlite3') as Promise<{ default: unknown }>,
    'sqlite()',
    'better-sqlite3',
  )
  // Waiting is ours: the library's would hold up everything else in this process.
  return betterSqliteConnection(
    new (Database as BetterSqliteConstructor)(path, { timeout: 0 }),
    'better-sqlite3',
  )
}

async function openLibsql(path: string): Promise<Connection> {
  const { default: Database } = await loadPeer(
    () => import('libsql') as Promise<{ default: unknown }>,
    'sqlite()',
    'libsql',
  )
  return openBetter(Database as BetterSqliteConstructor, path, 'libsql')
}

function openBetter(
  Database: BetterSqliteConstructor,
  path: string,
  driver: 'better-sqlite3' | 'libsql',
): Connection {
  // Waiting is ours: the library's would hold up everything else in this process.
  return betterSqliteConnection(
    opened(() => new Database(path, { timeout: 0 })),
    driver,
  )
}

/** Each library says in its own way that a file cannot be opened, one with no code of SQLite's. */
function opened<Database>(open: () => Database): Database {
  try {
    return open()
  } catch (error) {
    throw resultCode(error) === undefined ? cannotOpen(error) : error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'unsupported'
}

function unsupported(problem: string): StorageError {
  return new StorageError('unsupported', `sqlite: ${problem}`, { provider: 'sqlite' })
}
