/** The engine for PostgreSQL: `postgres({ url })`. */
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
export type { PgClient, PgPool, PgPoolClient } from './pg-client.ts'
export type { Pglite, PgliteTransaction } from './pglite-client.ts'
export { postgres } from './postgres.ts'
export type { PostgresJs } from './postgres-js-client.ts'
export type { PostgresClient, PostgresOptions } from './postgres-options.ts'
