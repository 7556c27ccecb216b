/** Statements as rqlite's JSON: `["sql", p1, …]`. What JSON's few types would blur is written so that it is not. */
import { invalidArgument } from '../../core/errors.ts'
import type { SqlValue, Statement } from '../engine.ts'
import { type StatementText, statementText } from './statement-text.ts'

export interface EncodedStatement {
  readonly text: StatementText
  /** The text as a JSON string, changed where a parameter needs it. */
  readonly sql: string
  /** `,p1,p2…` */
  readonly parameters: string
}

/** Text that rqlite would take for a BLOB, with the blanks it trims: Go's, which are JavaScript's and U+0085. */
const LOOKS_LIKE_BLOB = /^[\s\u0085]*x'[0-9a-f]*'[\s\u0085]*$/i

/** @throws `invalid-argument` for a text that is refused, or where the numbers of `?` and of values differ */
export function encodeStatement(statement: Statement): EncodedStatement {
  const [sql, ...values] = statement
  const text = statementText(sql)
  const wanted = text.pieces.length - 1
  if (values.length !== wanted) {
    throw invalidArgument(
      'sql',
      'rqlite',
      `the statement has ${wanted} parameters (?), ${values.length} values are given`,
    )
  }
  let parameters = ''
  for (const value of values) parameters += `,${encodeValue(value)}`
  return { text, sql: values.some(looksLikeBlob) ? withBoundText(text, values) : text.json, parameters }
}

/** Its JSON, with something before its own text where that is needed. */
export function statementJson({ sql, parameters }: EncodedStatement, prefix = ''): string {
  return `[${prefix === '' ? sql : `"${prefix}${sql.slice(1)}`}${parameters}]`
}

/** @throws `invalid-argument` for what each node would compute for itself, so that they would no longer be alike */
export function assertSameOnAllNodes({ differs }: StatementText): void {
  if (differs === undefined) return
  throw invalidArgument(
    'batch',
    'rqlite',
    `the statement uses ${differs}, which each node computes for itself; give the value as a parameter`,
  )
}

function encodeValue(value: SqlValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(looksLikeBlob(value) ? `_${value}` : value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return realDigits(value)
  // Read four times faster by rqlite than an array of numbers.
  return `"x'${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}'"`
}

/** A number without a point would be an INTEGER. */
function realDigits(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const digits = String(value)
  return /^-?\d+$/.test(digits) ? `${digits}.0` : digits
}

function looksLikeBlob(value: SqlValue): boolean {
  return typeof value === 'string' && value.includes("'") && LOOKS_LIKE_BLOB.test(value)
}

/** No escape exists for such text: it is sent with a sign before it, which the statement takes off again. */
function withBoundText({ pieces }: StatementText, values: readonly SqlValue[]): string {
  const sql = pieces.reduce((before, piece, index) => {
    return `${before}${looksLikeBlob(values[index - 1]!) ? 'substr(?,2)' : '?'}${piece}`
  })
  return JSON.stringify(sql)
}
