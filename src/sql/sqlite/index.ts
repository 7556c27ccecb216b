/** The engine for SQLite: `sqlite({ path })`. */
export type { DriverName } from './connection.ts'
export type { TransferOptions } from './database-file.ts'
export { type SqliteEngine, sqlite } from './sqlite.ts'
export type { Durability, SqliteDatabase, SqliteOptions } from './sqlite-options.ts'
