/** A statement of the common subset as PostgreSQL takes it. */
import { invalidArgument } from '../../core/errors.ts'
import type { SqlValue, Statement } from '../engine.ts'
import { readStatementText, type StatementText } from './statement-text.ts'
import { encodeParameter, type PgParameter } from './values.ts'

export interface PgStatement {
  /** With `$1`, `$2`, … */
  readonly sql: string
  readonly parameters: readonly PgParameter[]
  readonly kind: StatementText['kind']
  readonly givesRows: boolean
}

/** The protocol counts them in 16 bits. postgres.js takes two fewer, and for more neither answers nor lets its connection go. */
const MAX_PARAMETERS = 65_533

/** Texts are written once and used often; the limit is for those who build theirs anew each time. */
const REMEMBERED = 1_000
const texts = new Map<string, StatementText & { readonly sqlByTypes: Map<string, string> }>()

/**
 * @throws `invalid-argument` for a text that the engine refuses, where the numbers of `?` and of parameters differ, and
 * for more parameters than PostgreSQL takes
 */
export function toPgStatement([sql, ...values]: Statement): PgStatement {
  const text = textOf(sql)
  const wanted = text.pieces.length - 1
  if (wanted !== values.length)
    throw invalidArgument('sql', 'postgres', `the statement has ${wanted} ?, and ${values.length} parameters`)
  const given = values.filter(value => value !== null)
  if (given.length > MAX_PARAMETERS)
    throw invalidArgument(
      'sql',
      'postgres',
      `the statement has ${given.length} parameters, and PostgreSQL takes ${MAX_PARAMETERS} at most`,
    )
  const types = values.map(castOf).join('')
  let translated = text.sqlByTypes.get(types)
  if (translated === undefined) {
    translated = translate(text.pieces, values)
    forgetOldest(text.sqlByTypes)
    text.sqlByTypes.set(types, translated)
  }
  return {
    sql: translated,
    parameters: given.map(encodeParameter),
    kind: text.kind,
    givesRows: text.givesRows,
  }
}

/**
 * Each parameter says its type, so that no expression has to be guessed. NULL is written out: a parameter without a
 * type is refused in places such as `? IS NULL`, and the literal takes the type of its place everywhere.
 */
function translate(pieces: readonly string[], values: readonly SqlValue[]): string {
  let number = 0
  return values.reduce<string>(
    (sql, value, index) =>
      `${sql}${value === null ? 'NULL' : `$${++number}${castOf(value)}`}${pieces[index + 1]}`,
    pieces[0]!,
  )
}

function castOf(value: SqlValue): string {
  if (value === null) return '::null'
  switch (typeof value) {
    case 'bigint':
      return '::int8'
    case 'number':
      return '::float8'
    case 'string':
      return '::text'
    default:
      return '::bytea'
  }
}

function textOf(sql: string) {
  const known = texts.get(sql)
  if (known !== undefined) return known
  const text = { ...readStatementText(sql), sqlByTypes: new Map<string, string>() }
  forgetOldest(texts)
  texts.set(sql, text)
  return text
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size >= REMEMBERED) map.delete(map.keys().next().value!)
}
