import { fromBase83 } from './base83.ts'

/** The numbers that a blurhash holds. */
export interface BlurhashParts {
  /** Components across and down. */
  readonly x: number
  readonly y: number
  /** Of the details, 0 to 0.5. */
  readonly maximum: number
  /** 0xRRGGBB */
  readonly average: number
  /** Three digits of base 19 each. */
  readonly details: readonly number[]
}

/** `undefined` where `text` is no blurhash. */
export function parseBlurhash(text: unknown): BlurhashParts | undefined {
  if (typeof text !== 'string') return undefined
  const count = fromBase83(text.slice(0, 1))
  const x = (count % 9) + 1
  const y = Math.floor(count / 9) + 1
  if (!(y <= 9 && text.length === 4 + 2 * x * y)) return undefined
  const maximum = (fromBase83(text.slice(1, 2)) + 1) / 166
  const average = fromBase83(text.slice(2, 6))
  const details = text.slice(6).match(/../gs)?.map(fromBase83) ?? []
  // What holds a digit that is none is NaN, and below nothing.
  if (!(maximum <= 0.5 && average < 2 ** 24 && details.every(detail => detail < 19 ** 3))) return undefined
  return { x, y, maximum, average, details }
}
