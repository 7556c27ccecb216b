import { fromBase83 } from './base83.ts'

/** Components across and down, of a hash that is well-formed. */
export function componentsOf(hash: string): { x: number; y: number } {
  const count = fromBase83(hash.slice(0, 1))
  return { x: (count % 9) + 1, y: Math.floor(count / 9) + 1 }
}

/**
 * Whether `text` is a blurhash: digits of base 83, as many as its first one announces, each group in its range.
 * Every count of components from 1×1 to 9×9 is valid.
 *
 * @example
 * ```ts
 * isBlurhash('LEHV6nWB2yk8pyo0adR*.7kCMdnj') // true
 * isBlurhash('LEHV6n') // false
 * ```
 */
export function isBlurhash(text: unknown): text is string {
  if (typeof text !== 'string' || text.length < 6 || text.length > 166) return false
  const { x, y } = componentsOf(text)
  if (y > 9 || text.length !== 4 + 2 * x * y) return false
  if (!(fromBase83(text.slice(1, 2)) < 83 && fromBase83(text.slice(2, 6)) <= 0xff_ff_ff)) return false
  for (let at = 6; at < text.length; at += 2)
    if (!(fromBase83(text.slice(at, at + 2)) < 19 ** 3)) return false
  return true
}
