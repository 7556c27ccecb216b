/** postgres.js: the `sql` function, and the one that `sql.begin` and `sql.reserve` hand out. */
import { setTimeout as wait } from 'node:timers/promises'
import { invalidArgument } from '../../core/errors.ts'
import { loadPeer } from '../../core/peer.ts'
import type { Row, SqlValue, StatementResult } from '../engine.ts'
import type { PgStatement } from './pg-statement.ts'
import { asRecordRows, readRecordRows } from './record-rows.ts'
import { type Client, clientOver, isServerError, type Session } from './session.ts'
import { decodeText } from './values.ts'

/**
 * Between the error of a socket and its close, postgres.js 3.4 loses what `reserve` is asked for, and the caller would wait for
 * ever. They are a turn of the event loop apart, over TLS a few.
 */
const CLOSE_MS = 10

/** The `sql` of postgres.js, by what is used; its own type has more. */
export interface PostgresJs {
  unsafe(sql: string, parameters?: never[], options?: object): object
  // A method of any result: `reserve` is there where the client has a pool of its own.
  reserve(): Promise<unknown>
  readonly options: object
}

interface Reserved {
  unsafe: PostgresJsSql['unsafe']
  release(): void
}

/** What a transaction or a reserved connection has. */
export interface PostgresJsSql {
  unsafe(sql: string, parameters?: readonly unknown[], options?: object): PendingQuery
  savepoint?<Result>(work: (sql: PostgresJsSql) => Promise<Result>): Promise<Result>
  release?(): void
}

interface PendingQuery {
  raw(): PendingRows
}

interface PendingRows extends PromiseLike<RawResult> {
  readonly active: boolean
  cancel(): void
  /** What `cancel` calls, and whose promise it lets go. */
  canceller?: ((query: PendingRows) => unknown) | null
}

type RawResult = readonly (Buffer | null)[][] & {
  readonly count: number | null
  readonly columns?: readonly { name: string; type: number }[]
}

interface Transforms {
  readonly transform?: { readonly column?: { from?: unknown }; readonly row?: { from?: unknown } }
}

export function isPostgresJs(value: unknown): value is PostgresJs {
  return isSql(value) && 'reserve' in value && 'begin' in value
}

/** A transaction of `sql.begin`, or a reserved connection. */
export function isPostgresJsTransaction(value: unknown): value is PostgresJsSql {
  return isSql(value) && ('savepoint' in value || 'release' in value)
}

function isSql(value: unknown): value is object {
  return typeof value === 'function' && typeof (value as { unsafe?: unknown }).unsafe === 'function'
}

/** A client of the user's, which stays open. */
export function postgresJsClient(sql: PostgresJs, close: () => Promise<void> = async () => {}): Client {
  const { transform } = sql.options as Transforms
  if (transform?.row?.from)
    throw invalidArgument(
      'postgres',
      'postgres',
      'the postgres.js client has transform.row, which no row can be kept from; give one without',
    )
  const renames = transform?.column?.from !== undefined
  return clientOver(async () => {
    const reserved = (await sql.reserve()) as Reserved
    const underWay = new Set<PendingRows>()
    let broken = false
    return {
      stopsAtFailure: false,
      async run(statements) {
        try {
          return await runAll(reserved, statements, renames, underWay)
        } catch (error) {
          if (!isServerError(error)) {
            broken = true
            await wait(CLOSE_MS)
          }
          throw error
        }
      },
      release: () => reserved.release(),
      // A broken connection has left the pool by itself, and must not be put back.
      discard: () => (broken ? undefined : void cancelAndRelease(reserved, underWay)),
    }
  }, close)
}

/** A pool of our own. */
export async function openPostgresJs(url: string, max: number): Promise<Client> {
  const module = await loadPeer(() => import('postgres'), 'postgres', 'pg')
  const sql = module.default(url, { max, onnotice: () => {} })
  return postgresJsClient(sql as unknown as PostgresJs, () => sql.end({ timeout: 5 }))
}

/**
 * For a connection whose statements nobody waits for any more. Only the one that the server is at is cancelled, in
 * turn: postgres.js blocks a reserved connection for ever where one is cancelled that waits to be sent. Behind one that
 * failed the server refuses the others by itself: to cancel these, too, could end what the connection is used for next.
 */
async function cancelAndRelease(reserved: Reserved, underWay: ReadonlySet<PendingRows>): Promise<void> {
  let failed = false
  for (const query of [...underWay]) {
    if (!failed && query.active) cancel(query)
    const [ended] = await Promise.allSettled([query])
    failed ||= ended.status === 'rejected'
  }
  const rollback = () => reserved.unsafe('ROLLBACK', [], { simple: true }).raw()
  try {
    // The cancelling may come late, and end the first one.
    await Promise.resolve(rollback()).catch(rollback)
    reserved.release()
  } catch {
    // Broken meanwhile: it has left the pool.
  }
}

/**
 * Over a connection of its own. Where that breaks, postgres.js's `cancel` leaves a rejected promise that nobody can catch, which
 * would end the process; the statement goes on then, until it has ended by itself.
 */
function cancel(query: PendingRows): void {
  const { canceller } = query
  if (!canceller) {
    query.cancel()
    return
  }
  query.canceller = null
  Promise.resolve(canceller(query)).catch(() => {})
}

/** Waits for each answer, but not after the connection broke: postgres.js forgets those that it had not sent yet. */
async function allOrBroken<Result>(
  queries: readonly PromiseLike<Result>[],
): Promise<PromiseSettledResult<Result>[]> {
  let giveUp: (error: unknown) => void
  const broken = new Promise<never>((_, reject) => {
    giveUp = reject
  })
  const settled = queries.map(query =>
    Promise.resolve(query).catch(error => {
      if (!isServerError(error)) giveUp(error)
      throw error
    }),
  )
  return Promise.race([Promise.allSettled(settled), broken])
}

/**
 * All are sent at once; behind one that fails, the server refuses the others. Statements are prepared, as those of
 * postgres.js's own templates are (its `prepare: false` holds here too): one that is not costs two round trips.
 */
async function runAll(
  sql: Pick<PostgresJsSql, 'unsafe'>,
  statements: readonly PgStatement[],
  renames: boolean,
  underWay: Set<PendingRows>,
): Promise<readonly StatementResult[]> {
  const settled = await allOrBroken(
    statements.map(async statement => {
      const asRecords = renames && statement.givesRows
      const text = asRecords ? asRecordRows(statement) : statement.sql
      // BEGIN, COMMIT and the like are cheap to parse, and no use of a connection's memory for prepared ones.
      const simple = statement.kind === 'schema' && statement.parameters.length === 0
      const query = sql.unsafe(text, statement.parameters, { prepare: !simple, simple }).raw()
      underWay.add(query)
      try {
        return readResult(await query, statement, asRecords)
      } finally {
        underWay.delete(query)
      }
    }),
  )
  return settled.map(one => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}

function readResult(result: RawResult, { kind }: PgStatement, asRecords: boolean): StatementResult {
  const rows = asRecords
    ? readRecordRows(result.map(([text]) => text!.toString()))
    : result.map(values => readRow(values, result.columns ?? []))
  return { changes: kind !== 'write' ? 0 : asRecords ? rows.length : (result.count ?? 0), rows }
}

function readRow(
  values: readonly (Buffer | null)[],
  columns: readonly { name: string; type: number }[],
): Row {
  const row: Record<string, SqlValue> = {}
  columns.forEach(({ name, type }, index) => {
    const bytes = values[index] ?? null
    row[name] = bytes === null ? null : decodeText(type, bytes.toString())
  })
  return row
}

/**
 * A transaction of the caller's. Rows come as records: whether the client renames columns can't be seen from here.
 * The savepoint is postgres.js's own: `sql.begin` ends with any error that its `sql` has seen, caught or not.
 */
export function postgresJsTransaction(sql: PostgresJsSql): Session & {
  savepoint?<Result>(work: (session: Session) => Promise<Result>): Promise<Result>
} {
  const sessionOf = (of: PostgresJsSql): Session => ({
    stopsAtFailure: false,
    run: statements => runAll(of, statements, true, new Set()),
  })
  const { savepoint } = sql
  return {
    ...sessionOf(sql),
    ...(savepoint === undefined ? {} : { savepoint: work => savepoint(nested => work(sessionOf(nested))) }),
  }
}
