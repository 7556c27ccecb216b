/** Values of options, as strict as imgproxy is about them. Each throws `BadValue` for what it can't read. */
import { type Colour, DIRECTIONS, type Gravity } from './processing.ts'

/** Its message goes on from "the option w …". */
export class BadValue extends Error {}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])

/** Whatever is none of the spellings of true is false, without an error: `el:yes` enlarges nothing. */
export function isOn(text: string): boolean {
  return TRUE.has(text)
}

export function whole(text: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\+?\d{1,15}$|^-0+$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= most))
    throw new BadValue(`takes a whole number of 0 ${most > 100 ? 'or more' : `to ${most}`}`)
  return value
}

export function signedWhole(text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new BadValue('takes a whole number')
  return Number(text)
}

export function number(text: string): number {
  const value = anyNumber(text)
  if (value < 0) throw new BadValue('takes a number of 0 or more')
  return value
}

export function aboveZero(text: string): number {
  const value = anyNumber(text)
  if (value <= 0) throw new BadValue('takes a number above 0')
  return value
}

/** @param smart whether `sm` is among what it may be */
export function gravity(args: readonly string[], smart: boolean): Gravity {
  const [type = '', x = '', y = ''] = args
  if (type === 'sm' && smart && args.length === 1) return { type, x: 0, y: 0 }
  const isPoint = type === 'fp'
  if (!isPoint && !(DIRECTIONS as readonly string[]).includes(type))
    throw new BadValue(`takes the gravities ${DIRECTIONS.join(', ')}, fp${smart ? ' and sm alone' : ''}`)
  if (args.length > 3 || (isPoint && args.length !== 3))
    throw new BadValue('takes a gravity with two offsets at most, fp with two')
  const offsets = { x: x === '' ? 0 : anyNumber(x), y: y === '' ? 0 : anyNumber(y) }
  if (isPoint && !(isPart(offsets.x) && isPart(offsets.y)))
    throw new BadValue('takes a focus point from 0 to 1 in both directions')
  return { type: type as Gravity['type'], ...offsets }
}

/** `ff0000`, `f00` or three numbers; nothing for none. */
export function colour(args: readonly string[]): Colour | undefined {
  if (args.length === 3 && args.every(part => /^\d{1,3}$/.test(part) && Number(part) <= 255)) {
    const [r, g, b] = args.map(Number)
    return { r: r!, g: g!, b: b! }
  }
  const [hex = ''] = args
  if (args.length !== 1 || !/^(?:[0-9a-f]{3}|[0-9a-f]{6}|)$/i.test(hex))
    throw new BadValue('takes a colour as ff0000 or as three numbers up to 255')
  if (hex === '') return undefined
  const digits = hex.length === 3 ? hex.replace(/./g, '$&$&') : hex
  const [r, g, b] = [0, 2, 4].map(at => Number.parseInt(digits.slice(at, at + 2), 16))
  return { r: r!, g: g!, b: b! }
}

export function base64Text(text: string): string {
  const bare = text.replace(/=+$/, '')
  if (!/^[\w-]*$/.test(bare) || bare.length % 4 === 1) throw new BadValue('takes base64url here')
  return Buffer.from(bare, 'base64url').toString()
}

function anyNumber(text: string): number {
  if (!/^[+-]?(?:\d{1,15}\.?\d{0,15}|\.\d{1,15})(?:e[+-]?\d{1,2})?$/i.test(text))
    throw new BadValue('takes a number')
  return Number(text)
}

function isPart(value: number): boolean {
  return value >= 0 && value <= 1
}
