/** The engine for PostgreSQL: `postgres({ url })`. */
export { postgres } from './postgres.ts'
export type { PostgresClient, PostgresOptions } from './postgres-options.ts'
