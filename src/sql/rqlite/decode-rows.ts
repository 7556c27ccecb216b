/**
 * Rows out of rqlite's JSON. A value's type is that of the database, though JSON has one kind of number, and BLOBs
 * look like text wherever rqlite does not know a column's declared type.
 */
import type { Row, SqlValue } from '../engine.ts'
import type { JsonValue, LongInteger, StatementAnswer } from './answer-json.ts'

/**
 * What is known of a column's values. `real` also for the columns of our own type, whose numbers are REAL by
 * contract. `any`: of a declared type without affinity, or an expression.
 */
export type ColumnKind = 'integer' | 'real' | 'text' | 'blob' | 'any' | 'rewritten'

export const REAL_TYPE = 'FLOAT64_BLOB'

/** Of a declared type, in lower case: https://www.sqlite.org/datatype3.html#determination_of_column_affinity */
export function columnKind(type: string): ColumnKind {
  if (/^(?:boolean|date|datetime|timestamp)$/.test(type)) return 'rewritten'
  if (type === REAL_TYPE.toLowerCase()) return 'real'
  // rqlite's own list, not that of SQLite: of other columns the BLOBs come as base64.
  if (/^(?:text|json)$|^(?:varchar|varying character|nchar|native character|nvarchar|clob)/.test(type))
    return 'text'
  if (type.includes('int')) return 'integer'
  if (/char|clob|text/.test(type)) return 'any'
  if (type === 'blob') return 'blob'
  if (type.includes('blob') || type === '') return 'any'
  if (/real|floa|doub/.test(type)) return 'real'
  // NUMERIC: whole numbers are stored as integers, as in INTEGER.
  return 'integer'
}

/** A value that two rows of different types could look like. */
export class Ambiguous extends Error {
  override readonly name = 'Ambiguous'
}

type Decode = (value: JsonValue, first: boolean) => SqlValue

/** Reads each column as its kind tells. @throws `Ambiguous` where the answer does not tell what a value is */
export function decodeRows(answer: StatementAnswer, kinds: readonly ColumnKind[], strict: boolean): Row[] {
  const { columns = [], types = [], values = [] } = answer
  const decoders = columns.map((_, index): Decode => {
    const kind = kinds[index] ?? 'any'
    if (kind === 'any') return (value, first) => fromExpression(value, types[index] ?? '', first, strict)
    const decode = DECODERS[kind]
    return value => decode(value, strict)
  })
  return values.map((row, at) => toRow(columns, index => decoders[index]!(row[index] ?? null, at === 0)))
}

export function toRow(columns: readonly string[], valueAt: (index: number) => SqlValue): Row {
  const row: Record<string, SqlValue> = {}
  for (let index = 0; index < columns.length; index++) {
    const name = columns[index]!
    // An assignment would set the prototype.
    if (name === '__proto__') {
      Object.defineProperty(row, name, { value: valueAt(index), enumerable: true, configurable: true })
    } else {
      row[name] = valueAt(index)
    }
  }
  return row
}

type Decoder = (value: JsonValue, strict: boolean) => SqlValue

const DECODERS: Record<Exclude<ColumnKind, 'any'>, Decoder> = {
  integer: (value, strict) => (isNumber(value) ? integerOrReal(value) : notText(value, strict)),
  real: (value, strict) => {
    // A long integer in a column of REALs: a REAL as Go writes it, or an INTEGER that somebody put there.
    if (strict && isLong(value)) throw new Ambiguous()
    return isNumber(value) ? real(value) : notText(value, strict)
  },
  text: (value, strict) => {
    // Bytes in a TEXT column come as text, and what is no UTF-8 of them is lost.
    if (strict && typeof value === 'string' && value.includes('\ufffd')) throw new Ambiguous()
    return isNumber(value) ? integerOrReal(value) : plain(value)
  },
  blob: (value, strict) => (isNumber(value) ? integerOrReal(value) : notText(value, strict)),
  rewritten: (value, strict) => (isNumber(value) ? integerOrReal(value) : notText(value, strict)),
}

/** In such a column a string is text or a BLOB in base64. */
function notText(value: JsonValue, strict: boolean): SqlValue {
  if (strict && typeof value === 'string') throw new Ambiguous()
  return plain(value)
}

/** The type of an expression is the type of its first row; its BLOBs come as text. */
function fromExpression(value: JsonValue, type: string, first: boolean, strict: boolean): SqlValue {
  if (value === null) return null
  if (!isNumber(value)) {
    if (strict && typeof value === 'string') throw new Ambiguous()
    return plain(value)
  }
  if (strict && !first && isWhole(value)) throw new Ambiguous()
  return type === 'real' ? real(value) : integerOrReal(value)
}

/** A number of a column that holds INTEGERs: those with a fraction, or beyond 64 bits, are REAL. */
export function integerOrReal(value: number | LongInteger): bigint | number {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value
  const integer = BigInt(value.digits)
  return BigInt.asIntN(64, integer) === integer ? integer : Number(value.digits)
}

export function real(value: number | LongInteger): number {
  return typeof value === 'number' ? value : Number(value.digits)
}

export function isNumber(value: JsonValue): value is number | LongInteger {
  return typeof value === 'number' || isLong(value)
}

function isLong(value: JsonValue): value is LongInteger {
  return typeof value === 'object' && value !== null && 'digits' in value
}

function isWhole(value: number | LongInteger): boolean {
  return typeof value !== 'number' || Number.isInteger(value)
}

function plain(value: JsonValue): SqlValue {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  return Uint8Array.from(value as readonly number[])
}
