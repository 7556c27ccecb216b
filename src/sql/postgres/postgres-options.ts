import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import { isPgPool, openPg, type PgPool, pgPoolClient } from './pg-client.ts'
import { isPglite, type Pglite, pgliteClient } from './pglite-client.ts'
import { isPostgresJs, openPostgresJs, type PostgresJs, postgresJsClient } from './postgres-js-client.ts'
import type { Client } from './session.ts'

/** A `pg.Pool`, the `sql` of postgres.js, or a PGlite instance, by the methods that are used. */
export type PostgresClient = PgPool | PostgresJs | Pglite

export interface PostgresOptions {
  /** A client that is there already. It stays open on `close`, and keeps its type parsers and settings. */
  client?: PostgresClient
  /** In place of a client: `postgres://user:password@host:5432/database`. Needs the package `pg`, or `postgres`. */
  url?: string
  /** Connections at most, with `url`. Default 10. */
  max?: number
  /**
   * The schema that holds the tables, made where it is missing. Only there are unqualified names looked up: write
   * `public.users` for one elsewhere. Default: the connection's own `search_path`.
   */
  schema?: string
  /** Milliseconds after which the server ends a statement, waiting for locks included. Default: the server's own. */
  statementTimeoutMs?: number
  /** Milliseconds since 1970, for the time at which an operation's id is noted. Default `Date.now`. */
  now?: () => number
}

export interface PostgresSettings {
  readonly open: () => Promise<Client>
  readonly schema: string | undefined
  readonly statementTimeoutMs: number | undefined
  readonly now: () => number
  /** PGlite: a transaction of the caller's leaves none for the engine. */
  readonly hasOneConnection: boolean
}

/** @throws `invalid-argument` */
export function postgresSettings(options: PostgresOptions): PostgresSettings {
  assertFactoryOptions(
    'postgres',
    options,
    {
      client: 'object or function',
      url: 'string',
      max: 'number',
      schema: 'string',
      statementTimeoutMs: 'number',
      now: 'function',
    },
    'postgres',
  )
  const { client, schema, statementTimeoutMs, now = Date.now } = options
  if (schema !== undefined && (schema === '' || schema.includes('\0') || Buffer.byteLength(schema) > 63))
    throw refuse('schema must be a name of 1 to 63 bytes')
  if (statementTimeoutMs !== undefined && !(statementTimeoutMs >= 1 && statementTimeoutMs < 2 ** 31))
    throw refuse('statementTimeoutMs must be a number of milliseconds, 1 or more')
  return { open: opener(options), schema, statementTimeoutMs, now, hasOneConnection: isPglite(client) }
}

function opener({ client, url, max }: PostgresOptions): () => Promise<Client> {
  if ((client === undefined) === (url === undefined)) throw refuse('give a client or a url')
  if (client !== undefined) {
    if (max !== undefined)
      throw refuse("max is for url; a client's own options say how many connections it has")
    const ready = clientOf(client)
    return async () => ready
  }
  if (max !== undefined && !(Number.isInteger(max) && max >= 1))
    throw refuse('max must be a whole number, 1 or more')
  if (!/^postgres(ql)?:\/\//.test(url!)) throw refuse('url must begin with postgres:// or postgresql://')
  return () => openUrl(url!, max ?? 10)
}

function clientOf(client: PostgresClient): Client {
  if (isPgPool(client)) return pgPoolClient(client)
  if (isPostgresJs(client)) return postgresJsClient(client)
  if (isPglite(client)) return pgliteClient(client)
  throw refuse('client must be a pg.Pool, the sql of postgres.js, or a PGlite instance')
}

/** pg where it is installed, else postgres.js; the sentence that says what is missing names pg. */
async function openUrl(url: string, max: number): Promise<Client> {
  try {
    return await openPg(url, max)
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'unsupported') throw error
    return openPostgresJs(url, max)
  }
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `postgres: ${problem}`, { provider: 'postgres' })
}
