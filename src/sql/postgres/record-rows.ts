/**
 * Rows in a form that no type parser touches. Between us and the connection there may be Drizzle, Kysely, or a client
 * whose owner has set parsers (`int8` as a number, names in camel case), and some hand over rows without the types of
 * their columns. So the statement becomes `WITH … SELECT` of one text column: PostgreSQL's binary form of the whole
 * row, which names each value's type and holds it to the last bit. The first row carries the names beside it.
 */
import { invalidArgument } from '../../core/errors.ts'
import type { Row, SqlValue } from '../engine.ts'
import type { PgStatement } from './pg-statement.ts'
import { bytesOf, decodeNumeric, OID } from './values.ts'

/** `statement` with one column of text: the row in base64, and in the first row, behind a space, the names as JSON. Only for one that gives rows. */
export function asRecordRows(statement: PgStatement): string {
  return `WITH stowage_rows AS (${statement.sql}
) SELECT concat(encode(record_send(stowage_rows), 'base64'), CASE WHEN row_number() OVER () = 1 THEN (SELECT concat(' ', json_agg(name)) FROM json_object_keys(row_to_json(stowage_rows)) AS name) END) AS stowage FROM stowage_rows`
}

/** `texts`: the only column of each row. */
export function readRecordRows(texts: readonly string[]): Row[] {
  let names: string[] = []
  return texts.map((text, index) => {
    const space = text.indexOf(' ')
    if (index === 0) names = JSON.parse(text.slice(space + 1))
    return readRecord(Buffer.from(space === -1 ? text : text.slice(0, space), 'base64'), names)
  })
}

/** `record_send`: the number of columns, then for each its type, its length (-1 for NULL) and its value. */
function readRecord(bytes: Buffer, names: readonly string[]): Row {
  const row: Record<string, SqlValue> = {}
  const count = bytes.readInt32BE(0)
  if (count !== names.length)
    throw invalidArgument('sql', 'postgres', 'two columns have one name; name each with AS')
  let at = 4
  for (const name of names) {
    const type = bytes.readUInt32BE(at)
    const length = bytes.readInt32BE(at + 4)
    at += 8
    row[name] = length === -1 ? null : decodeBinary(type, bytes.subarray(at, at + length), name)
    if (length > 0) at += length
  }
  return row
}

function decodeBinary(type: number, bytes: Buffer, name: string): SqlValue {
  switch (type) {
    case OID.int8:
      return bytes.readBigInt64BE()
    case OID.int4:
      return BigInt(bytes.readInt32BE())
    case OID.int2:
      return BigInt(bytes.readInt16BE())
    case OID.oid:
      return BigInt(bytes.readUInt32BE())
    case OID.float8:
      return bytes.readDoubleBE()
    case OID.float4:
      return bytes.readFloatBE()
    case OID.bytea:
      return bytesOf(bytes)
    case OID.bool:
      return BigInt(bytes[0]!)
    case OID.numeric:
      return decodeNumeric(numericText(bytes))
    case OID.text:
    case OID.varchar:
    case OID.bpchar:
    case OID.name:
    case OID.char:
    case OID.unknown:
    case OID.json:
    case OID.void:
      return bytes.toString('utf8')
    default:
      throw invalidArgument(
        'sql',
        'postgres',
        `the column "${name}" has a type that only PostgreSQL has; cast it to BIGINT, DOUBLE PRECISION, TEXT or BYTEA`,
      )
  }
}

/** `numeric_send`: digits to the base 10,000, the weight of the first, the sign, and how many decimals are shown. */
function numericText(bytes: Buffer): string {
  const count = bytes.readInt16BE(0)
  const weight = bytes.readInt16BE(2)
  const sign = bytes.readUInt16BE(4)
  const decimals = bytes.readUInt16BE(6)
  if (sign === 0xc000) return 'NaN'
  if (sign === 0xd000) return 'Infinity'
  if (sign === 0xf000) return '-Infinity'
  const group = (index: number) =>
    String(index >= 0 && index < count ? bytes.readUInt16BE(8 + index * 2) : 0).padStart(4, '0')
  let whole = ''
  for (let index = 0; index <= weight; index++) whole += group(index)
  let fraction = ''
  for (let index = weight + 1; fraction.length < decimals; index++) fraction += group(index)
  const text = decimals > 0 ? `${whole || '0'}.${fraction.slice(0, decimals)}` : whole || '0'
  return sign === 0x4000 ? `-${text}` : text
}
