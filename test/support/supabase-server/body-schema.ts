/** The few JSON schema rules the routes use, with the messages their validator answers. */
import { failures } from './storage-failure.ts'

type Rule =
  | { type: 'string'; required?: boolean; oneOf?: readonly string[] }
  | { type: 'boolean'; required?: boolean }
  | { type: 'integer'; required?: boolean; minimum?: number }
  | { type: 'object'; required?: boolean; fields?: Schema }
  | { type: 'strings'; required?: boolean; minItems?: number; maxItems?: number }

export type Schema = Record<string, Rule>

type Body = Record<string, unknown>

const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The validator turns what it can into the type it wants: "60" is 60, null is 0. */
function integer(value: unknown, at: string, minimum?: number): number {
  const number = value === null ? 0 : typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) throw failures.schema(`${at} must be integer`)
  if (minimum !== undefined && number < minimum) throw failures.schema(`${at} must be >= ${minimum}`)
  return number
}

function strings(value: unknown, at: string, min?: number, max?: number): string[] {
  if (!Array.isArray(value)) throw failures.schema(`${at} must be array`)
  if (min !== undefined && value.length < min)
    throw failures.schema(`${at} must NOT have fewer than ${min} items`)
  if (max !== undefined && value.length > max)
    throw failures.schema(`${at} must NOT have more than ${max} items`)
  return value.map((item, index) => text(item, `${at}/${index}`))
}

function text(value: unknown, at: string, oneOf?: readonly string[]): string {
  const string =
    value === null ? '' : typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  if (typeof string !== 'string') throw failures.schema(`${at} must be string`)
  if (oneOf && !oneOf.includes(string))
    throw failures.schema(`${at} must be equal to one of the allowed values`)
  return string
}

function boolean(value: unknown, at: string): boolean {
  if (value === 'true' || value === 1 || value === true) return true
  if (value === 'false' || value === 0 || value === false || value === null) return false
  throw failures.schema(`${at} must be boolean`)
}

/** The body with each known field coerced, or the failure that the real validator words the same way. */
export function requireBody(value: unknown, schema: Schema, at = 'body'): Body {
  if (!isObject(value)) throw failures.schema(`${at} must be object`)
  const body: Body = { ...value }
  for (const [name, rule] of Object.entries(schema))
    if (rule.required && body[name] === undefined)
      throw failures.schema(`${at} must have required property '${name}'`)
  for (const [name, rule] of Object.entries(schema)) {
    const given = body[name]
    if (given === undefined) continue
    const where = `${at}/${name}`
    if (rule.type === 'integer') body[name] = integer(given, where, rule.minimum)
    else if (rule.type === 'string') body[name] = text(given, where, rule.oneOf)
    else if (rule.type === 'boolean') body[name] = boolean(given, where)
    else if (rule.type === 'strings') body[name] = strings(given, where, rule.minItems, rule.maxItems)
    else body[name] = requireBody(given, rule.fields ?? {}, where)
  }
  return body
}
