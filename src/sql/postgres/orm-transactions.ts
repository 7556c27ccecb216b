/**
 * The open transactions of Drizzle and Kysely, by their public methods and without importing them. Both put a driver
 * of their own choice behind these, with its own parsers, so rows come as records (record-rows.ts).
 */
import type { StatementResult } from '../engine.ts'
import type { PgStatement } from './pg-statement.ts'
import { asRecordRows, readRecordRows } from './record-rows.ts'
import type { Session } from './session.ts'

/** Drizzle's transaction over node-postgres, postgres.js or PGlite. `rollback` is what its database has not. */
export interface DrizzleTransaction {
  execute(query: object): PromiseLike<unknown>
  transaction<Result>(work: (tx: DrizzleTransaction) => Promise<Result>): Promise<Result>
  rollback(): never
}

export interface KyselyTransaction {
  readonly isTransaction: true
  executeQuery(query: object): Promise<{
    readonly rows: readonly object[]
    readonly numAffectedRows?: bigint | undefined
  }>
}

export function isDrizzle(value: unknown): value is Omit<DrizzleTransaction, 'rollback'> {
  return hasMethods(value, 'execute', 'transaction', 'select')
}

export function isDrizzleTransaction(value: unknown): value is DrizzleTransaction {
  return isDrizzle(value) && hasMethods(value, 'rollback')
}

export function isKysely(value: unknown): value is { readonly isTransaction: boolean } {
  return hasMethods(value, 'executeQuery', 'selectFrom')
}

export function isKyselyTransaction(value: unknown): value is KyselyTransaction {
  return isKysely(value) && value.isTransaction === true
}

function hasMethods(value: unknown, ...names: string[]): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every(name => typeof (value as Record<string, unknown>)[name] === 'function')
  )
}

/** The savepoint is Drizzle's nested transaction: with postgres.js below, no other one outlives an error. */
export function drizzleSession(tx: DrizzleTransaction): Session & {
  savepoint<Result>(work: (session: Session) => Promise<Result>): Promise<Result>
} {
  return {
    stopsAtFailure: true,
    run: statements =>
      eachInTurn(statements, async (sql, parameters) => {
        // What Drizzle asks of a query: an SQL that says its text and parameters.
        const built = { sql, params: parameters, typings: [] }
        const query = { toQuery: () => built, getSQL: () => query, usedTables: [] }
        return drizzleAnswer(await withoutWrapping(tx.execute(query)))
      }),
    savepoint: work => tx.transaction(nested => work(drizzleSession(nested))),
  }
}

/** Drizzle wraps what the driver throws, and puts the statement with all its parameters into the message. */
async function withoutWrapping(pending: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await pending
  } catch (error) {
    throw (error as { cause?: unknown } | null)?.cause ?? error
  }
}

/** An array of rows with `count` from postgres.js; `rows` with `rowCount` from pg, with `affectedRows` from PGlite. */
function drizzleAnswer(answer: unknown): Answer {
  const { rows, rowCount, affectedRows, count } = answer as {
    rows?: object[]
    rowCount?: number | null
    affectedRows?: number
    count?: number | null
  }
  return {
    rows: rows ?? (Array.isArray(answer) ? answer : []),
    affected: rowCount ?? affectedRows ?? count ?? 0,
  }
}

/** `CompiledQuery` is plain data; its node is only looked at by Kysely's plugins. */
export function kyselySession(trx: KyselyTransaction): Session {
  return {
    stopsAtFailure: true,
    run: statements =>
      eachInTurn(statements, async (sql, parameters) => {
        const { rows, numAffectedRows } = await trx.executeQuery({
          sql,
          parameters,
          query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
          queryId: { queryId: `stowage-${++queries}` },
        })
        return { rows, affected: Number(numAffectedRows ?? 0) }
      }),
  }
}

/** Kysely's plugins tell queries apart by an id. */
let queries = 0

interface Answer {
  readonly rows: readonly object[]
  readonly affected: number
}

async function eachInTurn(
  statements: readonly PgStatement[],
  send: (sql: string, parameters: unknown[]) => Promise<Answer>,
): Promise<StatementResult[]> {
  const results: StatementResult[] = []
  for (const statement of statements) {
    const { givesRows, kind } = statement
    const { rows, affected } = await send(givesRows ? asRecordRows(statement) : statement.sql, [
      ...statement.parameters,
    ])
    const changes = kind !== 'write' ? 0 : givesRows ? rows.length : affected
    results.push({
      changes,
      // The one column, whatever a plugin has made of its name.
      rows: givesRows ? readRecordRows(rows.map(row => String(Object.values(row)[0]))) : [],
    })
  }
  return results
}
