/** The engine for SQLite: `sqlite({ path })`. */
export type {
  BatchOptions,
  BatchResult,
  ColumnTypes,
  Consistency,
  Engine,
  JoinedBatchOptions,
  JoinedTransaction,
  QueryOptions,
  Row,
  SqlValue,
  Statement,
  StatementResult,
} from '../engine.ts'
export type { BetterSqliteDatabase, BetterSqliteStatement } from './better-sqlite3.ts'
export type { DriverName } from './connection.ts'
export type { TransferOptions } from './database-file.ts'
export type { NodeSqliteDatabase, NodeSqliteStatement } from './node-sqlite.ts'
export { type SqliteEngine, sqlite } from './sqlite.ts'
export type { Durability, SqliteDatabase, SqliteOptions } from './sqlite-options.ts'
