/** The body of a request: statements and their parameters, with rqlite's conversions. */
import { JsonNumber, type JsonValue, readJson } from './json-body.ts'

export type Parameter = null | bigint | number | string | Buffer

export interface Statement {
  sql: string
  /** In the order in which they came; `name` without its prefix. */
  parameters: readonly { name?: string; value: Parameter }[]
  returnsRows?: boolean
}

/** The answer is 400 with this message. */
export class BadBody extends Error {}

export function parseStatements(body: Buffer): Statement[] {
  let value: JsonValue
  try {
    value = readJson(body.toString('utf8'))
  } catch {
    throw new BadBody('invalid JSON body')
  }
  if (!Array.isArray(value)) throw new BadBody('invalid request')
  if (value.length === 0) throw new BadBody('no statements')
  return value.map(item => {
    if (typeof item === 'string') return { sql: item, parameters: [] }
    if (!Array.isArray(item) || typeof item[0] !== 'string') throw new BadBody('invalid request')
    return { sql: item[0], parameters: item.slice(1).flatMap(namedOrNot) }
  })
}

function namedOrNot(value: JsonValue): { name?: string; value: Parameter }[] {
  if (value instanceof Map) return [...value].map(([name, item]) => ({ name, value: parameter(item) }))
  return [{ value: parameter(value) }]
}

function parameter(value: JsonValue): Parameter {
  if (value === null) return null
  if (typeof value === 'boolean') return value ? 1n : 0n
  // Silently: text that looks like a BLOB literal is one.
  if (typeof value === 'string') return blobLiteral(value) ?? value
  if (value instanceof JsonNumber) return number(value.digits)
  if (Array.isArray(value)) return Buffer.from(value.map(byte))
  throw new BadBody('unsupported type map[string]interface {}')
}

function number(digits: string): bigint | number {
  if (/^-?\d+$/.test(digits)) {
    const integer = BigInt(digits)
    if (BigInt.asIntN(64, integer) === integer) return integer
  }
  const real = Number(digits)
  if (!Number.isFinite(real)) throw new BadBody(`invalid number ${digits}`)
  return real
}

function byte(value: JsonValue): number {
  if (!(value instanceof JsonNumber)) throw new BadBody(`unsupported type ${goType(value)}`)
  const integer = /^\d+$/.test(value.digits) ? Number(value.digits) : -1
  if (integer < 0 || integer > 255) throw new BadBody(`unsupported type ${value.digits}`)
  return integer
}

const goType = (value: JsonValue): string => {
  if (value === null) return '<nil>'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}'
}

function blobLiteral(text: string): Buffer | undefined {
  const hex = /^[xX]'((?:[0-9a-fA-F]{2})*)'$/.exec(text.trim())?.[1]
  return hex === undefined ? undefined : Buffer.from(hex, 'hex')
}
