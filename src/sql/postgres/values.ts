/**
 * Values on their way to PostgreSQL and back, in its text form: the one form that every client can be made to hand
 * over untouched. https://www.postgresql.org/docs/current/datatype.html
 */
import type { ColumnTypes, SqlValue } from '../engine.ts'

export const TYPES: ColumnTypes = {
  integer: 'BIGINT',
  real: 'DOUBLE PRECISION',
  // Byte by byte, as SQLite sorts; the database's own collation is anybody's.
  text: 'TEXT COLLATE "C"',
  blob: 'BYTEA',
}

/** Text, or bytes for `bytea`. Numbers go as text: clients write `-0` as `0`. */
export type PgParameter = string | Uint8Array

export function encodeParameter(value: Exclude<SqlValue, null>): PgParameter {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  return typeof value === 'bigint' ? value.toString() : value
}

/** Object identifiers of the built-in types, the same on every server. */
export const OID = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  unknown: 705,
  bpchar: 1042,
  varchar: 1043,
  numeric: 1700,
  void: 2278,
} as const

/**
 * A value from its text form. As SQLite has it, a truth is 0 or 1. `numeric`, which PostgreSQL makes of SUM over
 * integers, is an integer where it is declared without decimals and fits into 64 bits, else a float. Any other type
 * stays text, since a batch that has happened must not end with an error: cast it.
 */
export function decodeText(type: number, text: string): SqlValue {
  switch (type) {
    case OID.int8:
    case OID.int2:
    case OID.int4:
    case OID.oid:
      return BigInt(text)
    case OID.float8:
      return Number(text)
    case OID.float4:
      return Math.fround(Number(text))
    case OID.bytea:
      return decodeBytes(text)
    case OID.bool:
      return text === 't' ? 1n : 0n
    case OID.numeric:
      return decodeNumeric(text)
    default:
      return text
  }
}

export function decodeNumeric(text: string): number | bigint {
  if (!/^-?\d+$/.test(text)) return Number(text)
  const integer = BigInt(text)
  return BigInt.asIntN(64, integer) === integer ? integer : Number(text)
}

/** Both forms of `bytea_output`. https://www.postgresql.org/docs/current/datatype-binary.html */
function decodeBytes(text: string): Uint8Array {
  if (text.startsWith('\\x')) return bytesOf(Buffer.from(text.slice(2), 'hex'))
  const bytes = text.replace(/\\(\\|[0-7]{3})/g, (_, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  )
  return bytesOf(Buffer.from(bytes, 'latin1'))
}

/** A Uint8Array of its own: a Buffer may share its memory with others, and is no plain Uint8Array to a caller. */
export function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}
