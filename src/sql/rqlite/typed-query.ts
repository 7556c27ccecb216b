/**
 * Queries whose values keep their types. rqlite names the declared type of a column, but of an expression only the
 * type in its first row, and a BLOB out of an expression comes as text that may have lost bytes.
 *
 * So the first time a query is sent, a second one asks beside it which columns have a declared type; what is learned
 * is kept by its text. Where that does not tell what a value is, the query is sent within another that asks SQLite
 * itself for each value's type, then and from then on.
 */
import { StorageError } from '../../core/errors.ts'
import type { Row, SqlValue, Statement } from '../engine.ts'
import type { Answer, JsonValue, StatementAnswer } from './answer-json.ts'
import {
  Ambiguous,
  type ColumnKind,
  columnKind,
  decodeRows,
  integerOrReal,
  isNumber,
  real,
  toRow,
} from './decode-rows.ts'
import { type EncodedStatement, encodeStatement, statementJson } from './encode-statement.ts'

/** What is known of a query's columns. */
interface Plan {
  readonly columns: readonly string[]
  /** Of the same query without rows: names that SQLite has made unique, and declared types, empty for expressions. */
  readonly origin: StatementAnswer
  readonly kinds: readonly ColumnKind[]
  /** Whether SQLite must be asked for the type of each value. */
  asks: boolean
}

/** Sends a body to `/db/query`, at a consistency that the caller knows. */
export type SendQuery = (body: string) => Promise<Answer>

/**
 * Goes before a query whose columns the schema decides. rqlite reads a query's columns before SQLite notices, at the
 * first step, that another connection has changed the schema: `SELECT *` then comes under the names of before.
 */
const LOOK_AT_SCHEMA = '["SELECT 1 FROM sqlite_master LIMIT 0"]'
const MAX_PLANS = 1000
/** Requests of one query at most; more than three only while the schema changes. */
const MAX_TRIES = 5

export class TypedQueries {
  private readonly plans = new Map<string, Plan>()
  private readonly check: (answer: Answer, statements: number) => void

  /** `check` throws for an answer that says that something failed. */
  constructor(check: (answer: Answer, statements: number) => void) {
    this.check = check
  }

  async run(statement: Statement, send: SendQuery): Promise<Row[]> {
    const encoded = encodeStatement(statement)
    const [sql] = statement
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const plan = this.plans.get(sql)
      if (plan === undefined) {
        const rows = await this.learn(sql, encoded, send)
        if (rows !== undefined) return rows
      } else {
        const { asks } = plan
        const rows = asks ? await this.asking(plan, encoded, send) : await this.plainly(plan, encoded, send)
        if (rows !== undefined) return rows
        if (plan.asks === asks) this.plans.delete(sql)
      }
    }
    throw new StorageError('unavailable', 'query: the schema changes faster than rows can be read', {
      operation: 'query',
      provider: 'rqlite',
    })
  }

  /** Rows, or undefined where they have to be asked for again now that the columns are known. */
  private async learn(sql: string, encoded: EncodedStatement, send: SendQuery): Promise<Row[] | undefined> {
    const answer = await send(`[${LOOK_AT_SCHEMA},${statementJson(encoded)},${withoutRows(encoded)}]`)
    this.check(answer, 3)
    const [, result, origin] = answer.results as [unknown, StatementAnswer, StatementAnswer]
    const plan = makePlan(encoded, result.columns ?? [], origin)
    if (this.plans.size >= MAX_PLANS) this.plans.clear()
    this.plans.set(sql, plan)
    return plan.asks ? undefined : decode(plan, result)
  }

  private async plainly(plan: Plan, encoded: EncodedStatement, send: SendQuery): Promise<Row[] | undefined> {
    const { star } = encoded.text
    const answer = await send(`[${star ? `${LOOK_AT_SCHEMA},` : ''}${statementJson(encoded)}]`)
    this.check(answer, star ? 2 : 1)
    const result = answer.results!.at(-1)!
    return isOf(plan, result) ? decode(plan, result) : undefined
  }

  private async asking(plan: Plan, encoded: EncodedStatement, send: SendQuery): Promise<Row[] | undefined> {
    const query = `[${JSON.stringify(askingQuery(encoded, plan))}${encoded.parameters}]`
    const answer = await send(`[${LOOK_AT_SCHEMA},${query},${withoutRows(encoded)}]`)
    // Where this query alone fails, the columns have changed: its own says so when it is sent next.
    if (answer.results?.[1]?.error !== undefined) return undefined
    this.check(answer, 3)
    const [, { values = [] }, origin] = answer.results as [unknown, StatementAnswer, StatementAnswer]
    if (!sameOrigin(plan.origin, origin)) return undefined
    return values.map(row =>
      toRow(plan.columns, index => typedValue(plan.kinds[index]!, row[2 * index], row[2 * index + 1])),
    )
  }
}

function decode(plan: Plan, result: StatementAnswer): Row[] | undefined {
  try {
    return decodeRows(result, plan.kinds, true)
  } catch (error) {
    if (!(error instanceof Ambiguous)) throw error
    plan.asks = true
    return undefined
  }
}

function makePlan({ text }: EncodedStatement, columns: readonly string[], origin: StatementAnswer): Plan {
  const kinds = (origin.types ?? []).map(type => (text.compound ? 'any' : columnKind(type)))
  // BLOBs come as base64, which looks like text.
  const asks = text.compound || kinds.includes('blob') || kinds.includes('rewritten')
  return { columns, origin, kinds, asks }
}

/** The same query without its rows: of columns, rqlite then names the declared types only. */
function withoutRows({ sql, parameters }: EncodedStatement): string {
  return `["SELECT * FROM (${sql.slice(1, -1)}) LIMIT 0"${parameters}]`
}

/** Whether the schema is still what the plan was made for. */
function isOf({ columns, origin, kinds }: Plan, { columns: now = [], types = [] }: StatementAnswer): boolean {
  return (
    now.length === columns.length &&
    columns.every(
      (column, at) => column === now[at] && (kinds[at] === 'any' || types[at] === origin.types![at]),
    )
  )
}

function sameOrigin(before: StatementAnswer, now: StatementAnswer): boolean {
  return String(before.columns) === String(now.columns) && String(before.types) === String(now.types)
}

/** For each column its type and its value, the latter so that nothing gets lost. */
function askingQuery({ sql }: EncodedStatement, { kinds, origin }: Plan): string {
  const names = kinds.map((_, index) => `c${index}`)
  const values = kinds.map((kind, index) => {
    const name = names[index]!
    // Only a plain column keeps its declared type, and only that makes rqlite send its BLOBs as base64.
    return kind === 'blob' ? name : `CASE typeof(${name}) WHEN 'blob' THEN hex(${name}) ELSE +${name} END`
  })
  const selected = names.map((name, index) => `typeof(${name}), ${values[index]}`)
  // Materialized, an expression is computed once and the order of the rows stays.
  const fence = origin.types!.includes('') ? ' MATERIALIZED' : ''
  return `WITH stowage_rows(${names.join(', ')}) AS${fence} (${JSON.parse(sql)}) SELECT ${selected.join(', ')} FROM stowage_rows`
}

function typedValue(kind: ColumnKind, type: JsonValue | undefined, value: JsonValue | undefined): SqlValue {
  if (value === null || value === undefined) return type === 'blob' ? new Uint8Array() : null
  if (isNumber(value)) return type === 'real' ? real(value) : integerOrReal(value)
  if (type !== 'blob') return value as string
  const bytes = Buffer.from(value as string, kind === 'blob' ? 'base64' : 'hex')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
