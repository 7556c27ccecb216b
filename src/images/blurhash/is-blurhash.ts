import { parseBlurhash } from './parse-blurhash.ts'

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
  return parseBlurhash(text) !== undefined
}
