import { refusal } from './refusal.ts'

export interface KeyPair {
  readonly key: Uint8Array<ArrayBuffer>
  readonly salt: Uint8Array<ArrayBuffer>
}

/** One value in hexadecimal, several separated by commas as in the server's environment, or an array. */
export type HexValues = string | readonly string[]

/** Pairs by position, as the server reads them. @throws `invalid-argument` without any value */
export function keyPairs(key: unknown, salt: unknown): KeyPair[] {
  const keys = hexValues(key, 'key')
  const salts = hexValues(salt, 'salt')
  if (keys.length !== salts.length)
    throw refusal(
      `key and salt belong together in pairs: there are ${keys.length} keys and ${salts.length} salts`,
    )
  return keys.map((bytes, index) => ({ key: bytes, salt: salts[index]! }))
}

export function hexValues(given: unknown, name: string): Uint8Array<ArrayBuffer>[] {
  const values = typeof given === 'string' ? given.split(',') : given
  if (!Array.isArray(values) || values.length === 0) throw refusal(`${name} must be hexadecimal text`)
  return values.map((value, index) => hexBytes(value, values.length === 1 ? name : `${name} ${index + 1}`))
}

/**
 * Strictly: a decoder that stops at the first bad digit, as Node's does, would sign with a short or an empty key and
 * say nothing.
 */
export function hexBytes(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  if (typeof value !== 'string') throw refusal(`${name} must be hexadecimal text`)
  const digits = value.trim()
  if (digits === '') throw refusal(`${name} is empty`)
  if (!/^[0-9a-f]*$/i.test(digits)) throw refusal(`${name} must be hexadecimal: digits and a to f only`)
  if (digits.length % 2 !== 0)
    throw refusal(`${name} has an odd number of hexadecimal digits: one is missing`)
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  )
}
