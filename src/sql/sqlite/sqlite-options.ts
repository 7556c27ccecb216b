import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { BetterSqliteDatabase } from './better-sqlite3.ts'
import type { DriverName } from './connection.ts'
import type { NodeSqliteDatabase } from './node-sqlite.ts'

/** An open database of better-sqlite3, libsql or `node:sqlite`, by the methods that are used. */
export type SqliteDatabase = BetterSqliteDatabase | NodeSqliteDatabase

/** What must survive once a batch has been answered. */
export type Durability = 'full' | 'normal'

export interface SqliteOptions {
  /** The database file, made where there is none; its folder must exist. `:memory:` for one that ends with `close`. */
  path?: string
  /**
   * The library, or an open database in place of `path`: it gets this engine's settings (WAL, foreign keys,
   * durability) and stays open on `close`. Default: `node:sqlite` where this Node has it (22.13), else better-sqlite3
   * where it is installed, else libsql.
   */
  driver?: DriverName | SqliteDatabase
  /**
   * `full` (default): on disk before it is answered; a power failure loses nothing that was answered (SQLite's
   * `synchronous=FULL` in WAL). `normal`: a power failure may lose the last batches, never a part of one, and a crash
   * of the process loses nothing; batches with `durable` are on disk all the same, and what came before them.
   */
  durability?: Durability
  /** Milliseconds to wait for another connection's writing, where a call has no `timeoutMs`. Default 5,000. */
  busyTimeoutMs?: number
  /** Milliseconds since 1970, for the time at which an operation's id is noted. Default `Date.now`. */
  now?: () => number
}

export interface SqliteSettings {
  readonly path: string
  readonly driver: DriverName | SqliteDatabase | undefined
  readonly durability: Durability
  readonly busyTimeoutMs: number
  readonly now: () => number
}

const DRIVERS: readonly unknown[] = ['node:sqlite', 'better-sqlite3', 'libsql'] satisfies DriverName[]

/** @throws `invalid-argument` */
export function sqliteSettings(options: SqliteOptions): SqliteSettings {
  assertFactoryOptions(
    'sqlite',
    options,
    {
      path: 'string',
      driver: 'string or object',
      durability: 'string',
      busyTimeoutMs: 'number',
      now: 'function',
    },
    'sqlite',
  )
  const { path, driver, durability = 'full', busyTimeoutMs = 5_000, now = Date.now } = options
  if (typeof driver === 'object') {
    if (path !== undefined) throw refuse('give a path or an open database, not both')
    if (!isDatabase(driver))
      throw refuse('driver must be an open database of better-sqlite3, libsql or node:sqlite')
  } else {
    if (driver !== undefined && !DRIVERS.includes(driver))
      throw refuse(`driver must be one of ${DRIVERS.join(', ')}, or an open database`)
    if (!path || path.includes('\0')) throw refuse('path must name the database file, or be :memory:')
  }
  if (durability !== 'full' && durability !== 'normal') throw refuse('durability must be full or normal')
  if (!(busyTimeoutMs >= 0 && busyTimeoutMs < 2 ** 31))
    throw refuse('busyTimeoutMs must be a number of milliseconds, 0 or more')
  return { path: path ?? '', driver, durability, busyTimeoutMs, now }
}

/** Whether it has the methods of an open database of one of the libraries. */
export function isDatabase(value: unknown): value is SqliteDatabase {
  if (typeof value !== 'object' || value === null) return false
  const { prepare, exec } = value as { prepare?: unknown; exec?: unknown }
  return typeof prepare === 'function' && typeof exec === 'function'
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `sqlite: ${problem}`, { provider: 'sqlite' })
}
