import type { Engine } from '../engine.ts'
import { PostgresEngine } from './postgres-engine.ts'
import { type PostgresOptions, postgresSettings } from './postgres-options.ts'

/**
 * An engine over PostgreSQL 13 or later: a `pg.Pool`, the `sql` of postgres.js, a PGlite instance, or a URL, for which
 * one of the packages `pg` and `postgres` must be installed.
 *
 * The database's encoding must be UTF8, and `extra_float_digits` 1 or more, as both are by default. Names come back in
 * lower case, as PostgreSQL folds them. A text with NUL is refused.
 *
 * @throws `invalid-argument` for an unknown option, or where neither or both of `client` and `url` are given
 * @example
 * ```ts
 * const engine = postgres({ url: process.env.DATABASE_URL })
 * const yours = postgres({ client: new Pool({ max: 20 }), schema: 'files' })
 * ```
 */
export function postgres(options: PostgresOptions): Engine {
  return new PostgresEngine(postgresSettings(options))
}
