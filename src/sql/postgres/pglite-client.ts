/** PGlite: PostgreSQL in the process, with one connection. */
import { untilEnded } from '../../core/deadline.ts'
import type { Row, SqlValue, StatementResult } from '../engine.ts'
import type { PgStatement } from './pg-statement.ts'
import { type Client, type Session, TransactionFailure } from './session.ts'
import { decodeText, OID } from './values.ts'

/** A PGlite transaction, by what is used. */
export interface PgliteTransaction {
  query(sql: string, parameters?: unknown[], options?: object): Promise<unknown>
}

/** A PGlite instance, by what is used. */
export interface Pglite extends PgliteTransaction {
  transaction<Result>(work: (tx: PgliteTransaction) => Promise<Result>): Promise<Result>
}

export function isPglite(value: unknown): value is Pglite {
  return isTransactionLike(value) && 'transaction' in value && 'waitReady' in value
}

export function isPgliteTransaction(value: unknown): value is PgliteTransaction {
  return isTransactionLike(value) && 'rollback' in value && !('transaction' in value)
}

function isTransactionLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const { query, exec } = value as { query?: unknown; exec?: unknown }
  return typeof query === 'function' && typeof exec === 'function'
}

export function pgliteClient(db: Pglite): Client {
  return {
    async query(statement, signal) {
      const [result] = await untilEnded(pgliteSession(db).run([statement]), signal)
      return result!
    },
    async transaction(statements, { signal }) {
      let commitSent = false
      const work = db.transaction(async tx => {
        const results = await pgliteSession(tx).run(statements)
        signal?.throwIfAborted()
        commitSent = true
        return results
      })
      try {
        return await untilEnded(work, signal)
      } catch (error) {
        throw new TransactionFailure(error, commitSent)
      }
    },
    async close() {},
  }
}

/** PGlite makes dates and objects of these by default; here they are text. */
const OTHERS = { date: 1082, timestamp: 1114, timestamptz: 1184, jsonb: 3802 }
const PARSERS = Object.fromEntries(
  Object.values({ ...OID, ...OTHERS }).map(type => [type, (text: string) => decodeText(type, text)]),
)
const asIs = (value: unknown) => value
const SERIALIZERS = { [OID.int8]: asIs, [OID.float8]: asIs, [OID.text]: asIs }

export function pgliteSession(db: PgliteTransaction): Session {
  return {
    stopsAtFailure: true,
    async run(statements) {
      const results: StatementResult[] = []
      for (const statement of statements) results.push(await runOne(db, statement))
      return results
    },
  }
}

async function runOne(
  db: PgliteTransaction,
  { sql, parameters, kind }: PgStatement,
): Promise<StatementResult> {
  const options = { rowMode: 'array', parsers: PARSERS, serializers: SERIALIZERS }
  const { rows, fields, affectedRows } = (await db.query(sql, [...parameters], options)) as {
    rows: SqlValue[][]
    fields: { name: string }[]
    affectedRows?: number
  }
  return {
    changes: kind === 'write' ? (affectedRows ?? 0) : 0,
    rows: rows.map(
      values => Object.fromEntries(fields.map(({ name }, index) => [name, values[index]!])) as Row,
    ),
  }
}
