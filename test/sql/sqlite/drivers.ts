import Libsql from 'libsql'
import type { Engine } from '../../../src/sql/engine.ts'
import { type SqliteDatabase, type SqliteOptions, sqlite } from '../../../src/sql/sqlite/index.ts'
import { findOrBuildBetterSqlite3 } from '../../support/better-sqlite3.ts'
import { everythingIsRequired } from '../../support/tools.ts'

export interface OpenEngine {
  readonly engine: Engine
  /** Where the engine was given an open database. */
  readonly database: SqliteDatabase | undefined
  close(): Promise<void>
}

export interface SqliteDriver {
  readonly name: 'node:sqlite' | 'better-sqlite3' | 'libsql'
  /** Opens a database with the library itself. */
  database(path: string): SqliteDatabase
  open(path: string, options?: Omit<SqliteOptions, 'path' | 'driver'> & { handed?: boolean }): OpenEngine
}

/**
 * better-sqlite3 12.11 ends Node 24.21 where one of its statements or databases is collected while no context is entered
 * (an assertion in `RemoveEnvironmentCleanupHook`, seen in most runs of one test file). `node:sqlite` is the default there.
 */
const ENDS_NODE_24 = 'better-sqlite3 12.11 ends Node 24 when its statements are collected'
const isNode24 = Number(process.versions.node.split('.')[0]) >= 24

/** The libraries that this Node has. */
export async function sqliteDrivers(): Promise<SqliteDriver[]> {
  const better = isNode24
    ? { missing: ENDS_NODE_24 }
    : await findOrBuildBetterSqlite3(line => console.log(line))
  const drivers = [libsql]
  const nodeSqlite = findNodeSqlite()
  if (nodeSqlite) drivers.push(driver('node:sqlite', path => new nodeSqlite.DatabaseSync(path), true))
  if ('Database' in better) {
    // Never beside `src/`, where the engine would find it by itself: so it is always handed over.
    drivers.push(driver('better-sqlite3', path => new better.Database(path), false))
  }
  return drivers
}

/** What is not here, with the reason. @throws where everything is required */
export async function missingDrivers(): Promise<[name: string, reason: string][]> {
  const missing: [string, string][] = []
  if (!findNodeSqlite()) missing.push(['node:sqlite', 'it comes with Node 22.13'])
  const better = isNode24 ? { missing: ENDS_NODE_24 } : await findOrBuildBetterSqlite3()
  if (isNode24) missing.push(['better-sqlite3', ENDS_NODE_24])
  else if ('missing' in better) {
    if (everythingIsRequired()) throw new Error(better.missing)
    missing.push(['better-sqlite3', better.missing])
  }
  return missing
}

/** Needs no compiler and runs on every Node: for tests that any library would do for. */
export const libsql: SqliteDriver = driver(
  'libsql',
  path => new Libsql(path) as unknown as SqliteDatabase,
  true,
)

function driver(
  name: SqliteDriver['name'],
  database: SqliteDriver['database'],
  found: boolean,
): SqliteDriver {
  return {
    name,
    database,
    open(path, { handed = !found, ...options } = {}) {
      if (!handed) {
        const engine = sqlite({ path, driver: name, ...options })
        return { engine, database: undefined, close: () => engine.close() }
      }
      const open = database(path)
      const engine = sqlite({ driver: open, ...options })
      return {
        engine,
        database: open,
        async close() {
          await engine.close()
          open.close()
        },
      }
    },
  }
}

function findNodeSqlite(): { DatabaseSync: new (path: string) => SqliteDatabase } | undefined {
  return process.getBuiltinModule('node:sqlite' as 'node:fs') as never
}
