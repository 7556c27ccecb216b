/** The engine for rqlite: `rqlite({ url })`. */
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
export type { TransferOptions } from './file-transfer.ts'
export type { RqliteAuth, RqliteOptions, RqliteTls } from './options.ts'
export { type RqliteEngine, rqlite } from './rqlite.ts'
