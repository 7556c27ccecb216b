/** node-postgres: a `Pool`, and the `Client` in which a transaction is open. */
import { loadPeer } from '../../core/peer.ts'
import type { Row, SqlValue, StatementResult } from '../engine.ts'
import { PgFlight } from './pg-flight.ts'
import type { PgStatement } from './pg-statement.ts'
import { type Client, type Connection, clientOver, type Session } from './session.ts'
import { decodeText } from './values.ts'

/** A `pg.Client`, or what a pool hands out, by what is used. */
export interface PgClient {
  query(query: object): unknown
}

/** A `pg.Pool`, by what is used. */
export interface PgPool {
  connect(): Promise<PgPoolClient>
  readonly totalCount: number
}

export interface PgPoolClient extends PgClient {
  release(error?: boolean | Error): void
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

export function isPgPool(value: unknown): value is PgPool {
  return hasMethods(value, 'connect', 'query') && 'totalCount' in value
}

/** A pool's client or one of its own; not a pool. */
export function isPgClient(value: unknown): value is PgClient {
  return hasMethods(value, 'connect', 'query', 'on') && !('totalCount' in value)
}

function hasMethods(value: unknown, ...names: string[]): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every(name => typeof (value as Record<string, unknown>)[name] === 'function')
  )
}

/** A pool of the user's, which stays open. */
export function pgPoolClient(pool: PgPool, close: () => Promise<void> = async () => {}): Client {
  return clientOver(async () => pgConnection(await pool.connect()), close)
}

/** A pool of our own. */
export async function openPg(url: string, max: number): Promise<Client> {
  const module = await loadPeer(() => import('pg'), 'postgres', 'pg')
  const pool = new module.default.Pool({ connectionString: url, max })
  // An idle connection that breaks is replaced; without a listener it would end the process.
  pool.on('error', () => {})
  return pgPoolClient(pool, () => pool.end())
}

function pgConnection(client: PgPoolClient): Connection {
  // The pool listens while it holds the client; what breaks in our hands is told by the query that waits.
  const onError = () => {}
  client.on('error', onError)
  const end = (broken: boolean) => {
    client.release(broken)
    if (!broken) client.removeListener('error', onError)
  }
  return { ...pgSession(client), release: () => end(false), discard: () => end(true) }
}

interface PgClientParts {
  readonly connection?: { readonly parse?: unknown; readonly bind?: unknown }
  readonly pipeline?: boolean
}

export function pgSession(client: PgClient): Session {
  const { connection, pipeline } = client as PgClientParts
  if (pipeline !== true && typeof connection?.parse === 'function' && typeof connection.bind === 'function') {
    return {
      stopsAtFailure: true,
      run(statements) {
        const flight = new PgFlight(statements)
        client.query(flight)
        return flight.ended
      },
    }
  }
  const atOnce = pipeline === true
  return { stopsAtFailure: !atOnce, run: statements => runEach(client, statements, atOnce) }
}

/**
 * For a client in pg's pipeline mode, which takes no query classes but sends without waiting by itself, and for one
 * that is pg by its methods only.
 */
async function runEach(
  client: PgClient,
  statements: readonly PgStatement[],
  atOnce: boolean,
): Promise<readonly StatementResult[]> {
  if (atOnce) {
    const settled = await Promise.allSettled(statements.map(statement => runOne(client, statement)))
    return settled.map(one => {
      if (one.status === 'rejected') throw one.reason
      return one.value
    })
  }
  const results: StatementResult[] = []
  for (const statement of statements) results.push(await runOne(client, statement))
  return results
}

async function runOne(client: PgClient, { sql, parameters, kind }: PgStatement): Promise<StatementResult> {
  const { rows, fields, rowCount } = (await client.query({
    text: sql,
    values: [...parameters],
    rowMode: 'array',
    types: { getTypeParser: (type: number) => (text: string) => decodeText(type, text) },
  })) as { rows: SqlValue[][]; fields: { name: string }[]; rowCount: number | null }
  return {
    changes: kind === 'write' ? (rowCount ?? 0) : 0,
    rows: rows.map(
      values => Object.fromEntries(fields.map(({ name }, index) => [name, values[index]!])) as Row,
    ),
  }
}
