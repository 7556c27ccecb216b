/** From a value of `ImageOptions` to the arguments of its segment, or a refusal that says what is wrong. */

import { textToBase64Url } from './base64url.ts'
import type { Compass } from './image-options.ts'
import { refusal } from './refusal.ts'

/** `name` is how the caller knows the value: `crop.width`. */
export type ArgumentWriter = (value: unknown, name: string, pro: boolean) => string

export const FORMATS: ReadonlySet<string> = new Set([
  ...['avif', 'bmp', 'gif', 'heic', 'ico', 'jpeg', 'jpg', 'jxl', 'png', 'tiff', 'webp'],
])
const SOURCE_FORMATS: ReadonlySet<string> = new Set([...FORMATS, 'svg'])

const COMPASS: Readonly<Record<Compass, string>> = {
  center: 'ce',
  north: 'no',
  south: 'so',
  east: 'ea',
  west: 'we',
  'north-east': 'noea',
  'north-west': 'nowe',
  'south-east': 'soea',
  'south-west': 'sowe',
}

export const flag: ArgumentWriter = (value, name) => {
  if (typeof value === 'boolean') return value ? '1' : '0'
  throw refusal(`${name} must be true or false`)
}

function numeric(demand: string, allowed: (value: number) => boolean): ArgumentWriter {
  return (value, name) => {
    if (typeof value === 'number' && Number.isFinite(value) && allowed(value)) return String(value + 0)
    throw refusal(`${name} must be ${demand}`)
  }
}

export const whole = numeric(
  'a whole number of 0 or more',
  value => Number.isSafeInteger(value) && value >= 0,
)
export const wholeAboveZero = numeric(
  'a whole number of 1 or more',
  value => Number.isSafeInteger(value) && value >= 1,
)
export const number = numeric('a number', () => true)
export const notNegative = numeric('a number of 0 or more', value => value >= 0)
export const positive = numeric('a number above 0', value => value > 0)
export const part = numeric('a number from 0 to 1', value => value >= 0 && value <= 1)
export const quality = numeric(
  'a whole number from 1 to 100, or 0 for what the server is set to',
  value => Number.isInteger(value) && value >= 0 && value <= 100,
)
export const rightAngle = numeric('0, 90, 180 or 270', value => [0, 90, 180, 270].includes(value))

export function oneOf(words: Readonly<Record<string, string>>): ArgumentWriter {
  return (value, name) => {
    if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value]!
    throw refusal(`${name} must be one of ${Object.keys(words).join(', ')}`)
  }
}

const compass = oneOf(COMPASS)

/** An object whose fields are arguments in this order, `?` behind those that may be absent. Trailing ones fall away. */
export function fields(writers: Readonly<Record<string, ArgumentWriter>>): ArgumentWriter {
  const known = Object.entries(writers).map(([text, write]) => ({
    name: text.replace('?', ''),
    required: !text.endsWith('?'),
    write,
  }))
  return (value, name, pro) => {
    const record = objectOf(
      value,
      name,
      known.map(field => field.name),
    )
    let text = ''
    let pending = ''
    for (const field of known) {
      const given = record[field.name]
      if (given === undefined && field.required) throw refusal(`${name}.${field.name} is missing`)
      if (given !== undefined) {
        text += pending + field.write(given, `${name}.${field.name}`, pro)
        pending = ''
      }
      pending += ':'
    }
    return text
  }
}

function objectOf(value: unknown, name: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refusal(`${name} must be an object with ${known.join(', ')}`)
  for (const field in value)
    if (!known.includes(field)) throw refusal(`${name} has no '${field}'; known are ${known.join(', ')}`)
  return value as Record<string, unknown>
}

/** The simple form where the value is no object, else the precise one. */
export function either(simple: ArgumentWriter, precise: ArgumentWriter): ArgumentWriter {
  return (value, name, pro) =>
    (typeof value === 'object' && value !== null ? precise : simple)(value, name, pro)
}

const offset = fields({ at: compass, 'x?': number, 'y?': number })
const focusPoint = fields({ focusX: part, focusY: part })

/** Words and offsets that the server reads alike are written alike: `{ at: 'north', x: 0 }` is `north`. */
const place = either(compass, (value, name, pro) => {
  if ('focusX' in (value as object) || 'focusY' in (value as object))
    return `fp:${focusPoint(value, name, pro)}`
  return offset(value, name, pro).replace(/:0:0$|:0$|::0$/, '')
})

export const extendGravity: ArgumentWriter = (value, name, pro) => {
  if (value === 'smart') throw refusal(`${name} cannot be smart`)
  return place(value, name, pro)
}

export const gravity: ArgumentWriter = (value, name, pro) => {
  if (value === 'smart') return 'sm'
  if (typeof value === 'object' && value !== null && ('objects' in value || 'objectWeights' in value)) {
    if (!pro) throw refusal(`${name} by objects is an option of imgproxy Pro: build with edition: 'pro'`)
    return objectGravity(value, name, pro)
  }
  return place(value, name, pro)
}

const objectGravity: ArgumentWriter = (value, name, pro) => {
  if ('objects' in (value as object)) return `obj:${fields({ objects: words })(value, name, pro)}`
  const { objectWeights } = value as { objectWeights: unknown }
  const entries = Object.entries(objectOf(objectWeights, name, Object.keys(Object(objectWeights)))).sort(
    byName,
  )
  if (entries.length === 0) throw refusal(`${name}.objectWeights must name at least one class`)
  return `objw:${entries.map(([key, weight]) => `${word(key, name, pro)}:${number(weight, `${name}.${key}`, pro)}`).join(':')}`
}

export const extend = (value: unknown, name: string, pro: boolean): string => {
  if (typeof value === 'boolean') return flag(value, name, pro)
  const at = extendGravity(value, name, pro)
  return at === 'ce' ? '1' : `1:${at}`
}

const cropFields = fields({ width: notNegative, height: notNegative, 'gravity?': gravity })
export const crop: ArgumentWriter = cropFields

export const color: ArgumentWriter = (value, name) => {
  const digits = typeof value === 'string' ? /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(value)?.[1] : undefined
  if (digits === undefined) throw refusal(`${name} must be a color such as #ff8800`)
  return (digits.length === 3 ? digits.replace(/./g, '$&$&') : digits).toLowerCase()
}

export const trim = either(
  number,
  fields({ threshold: number, 'color?': color, 'equalHorizontal?': flag, 'equalVertical?': flag }),
)

const SIDES = ['top', 'right', 'bottom', 'left'] as const

export const padding = either(whole, (value, name, pro) => {
  const sides = objectOf(value, name, SIDES)
  const [top, right, bottom, left] = SIDES.map(side => whole(sides[side] ?? 0, `${name}.${side}`, pro))
  return top === right && top === bottom && top === left ? top! : `${top}:${right}:${bottom}:${left}`
})

export const zoom = either(positive, (value, name, pro) => {
  const text = fields({ width: positive, height: positive })(value, name, pro)
  const [width, height] = text.split(':')
  return width === height ? width! : text
})

export const watermark = either(
  part,
  fields({
    opacity: part,
    'position?': oneOf({ ...COMPASS, replicate: 're' }),
    'x?': number,
    'y?': number,
    'scale?': positive,
  }),
)

/** A format as it stands in URLs. @throws `invalid-argument` with the reason */
export function formatName(value: unknown, name: string, known = FORMATS): string {
  if (typeof value === 'string' && known.has(value)) return value
  if (typeof value === 'string' && known.has(value.toLowerCase()))
    throw refusal(`${name} must be in lower case: '${value.toLowerCase()}'`)
  if (value === 'svg')
    throw refusal(`${name} cannot be svg, which imgproxy only passes through: use format: 'source'`)
  throw refusal(`${name} must be one of ${[...known].join(', ')}`)
}

export const format: ArgumentWriter = (value, name) => formatName(value, name)

export const sourceFormats: ArgumentWriter = (value, name) => {
  if (!Array.isArray(value)) throw refusal(`${name} must be an array of formats`)
  return [...new Set(value.map(item => formatName(item, name, SOURCE_FORMATS)))].sort().join(':')
}

export const formatQualities: ArgumentWriter = (value, name, pro) =>
  Object.entries(objectOf(value, name, [...SOURCE_FORMATS]))
    .filter(([, given]) => given !== undefined)
    .sort(byName)
    .map(([key, given]) => `${key}:${quality(given, `${name}.${key}`, pro)}`)
    .join(':')

/** A word that needs no escaping: the server does not decode arguments. */
export const word: ArgumentWriter = (value, name) => {
  if (typeof value === 'string' && /^[\w.~-]+$/.test(value)) return value
  throw refusal(`${name} must be of letters, digits, -, _, . and ~`)
}

export const words: ArgumentWriter = (value, name, pro) => {
  if (Array.isArray(value) && value.length > 0) return value.map(item => word(item, name, pro)).join(':')
  throw refusal(`${name} must be an array with at least one word`)
}

export const filename: ArgumentWriter = (value, name) => {
  if (
    typeof value !== 'string' ||
    value === '' ||
    /[\u0000-\u001f\u007f]/.test(value) ||
    !value.isWellFormed()
  )
    throw refusal(`${name} must be text without control characters`)
  return /^[\w.~-]+$/.test(value) ? value : `${textToBase64Url(value)}:1`
}

/** Text that the server decodes from base64url: a URL, a style sheet. */
export const encodedText: ArgumentWriter = (value, name) => {
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return textToBase64Url(value)
  throw refusal(`${name} must be text`)
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
