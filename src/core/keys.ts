import { StorageError } from './errors.ts'

/** What keys a store can hold. Part of a provider's capabilities. */
export interface KeyRules {
  /** Longest key in UTF-8 bytes. */
  readonly maxBytes: number
  /** Longest part between two slashes in UTF-8 bytes. */
  readonly maxSegmentBytes: number
  /** Whether `a//b`, `/a` and `a/` are keys of their own. */
  readonly emptySegments: boolean
  /** Whether `a` and `a/b` can exist together. Elsewhere storing the second is refused, and the first stays. */
  readonly fileAndFolder: boolean
  /** Whether `A` and `a` are two objects. */
  readonly caseSensitive: boolean
  /** Whether the composed and the decomposed form of `é` are two objects. */
  readonly normalizationSensitive: boolean
  /** The characters a key may hold, where not all of Unicode: tested against the whole key. */
  readonly allowed?: RegExp
}

/** Any UTF-8 of 1 to 1,024 bytes: what the contract asks of a store that can. */
export const ANY_KEY: KeyRules = {
  maxBytes: 1024,
  maxSegmentBytes: 1024,
  emptySegments: true,
  fileAndFolder: true,
  caseSensitive: true,
  normalizationSensitive: true,
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
/** `.` and `..` name folders on file systems and are resolved away by URL parsers: never part of a key. */
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/
const EMPTY_SEGMENT = /^\/|\/\/|\/$/
/** Keys that need no closer look: short, plain, the usual case on the hot path. */
const PLAIN_KEY = /^[\w-]+(?:[./][\w-]+)*$/

/** Why `key` can't be stored under `rules`, or undefined where it can. */
export function keyProblem(key: unknown, rules: KeyRules): string | undefined {
  if (typeof key !== 'string') return `must be a string, got ${key === null ? 'null' : typeof key}`
  if (key === '') return 'must not be empty'
  const plain = key.length <= rules.maxSegmentBytes && key.length <= rules.maxBytes && PLAIN_KEY.test(key)
  if (!plain) {
    const bytes = Buffer.byteLength(key)
    if (bytes > rules.maxBytes) return `is ${bytes} bytes long; at most ${rules.maxBytes} are allowed`
    if (key.includes('\0')) return 'must not contain NUL'
    if (LONE_SURROGATE.test(key)) return 'must be well-formed Unicode; it contains a lone surrogate'
    if (DOT_SEGMENT.test(key)) return "must not contain '.' or '..' as a segment"
    if (!rules.emptySegments && EMPTY_SEGMENT.test(key))
      return 'must not begin or end with a slash or contain two in a row here'
    if (rules.maxSegmentBytes < rules.maxBytes) {
      const long = key.split('/').find(segment => Buffer.byteLength(segment) > rules.maxSegmentBytes)
      if (long !== undefined)
        return `has a segment of ${Buffer.byteLength(long)} bytes; at most ${rules.maxSegmentBytes} are allowed here`
    }
  }
  if (rules.allowed !== undefined && !rules.allowed.test(key))
    return 'contains a character that this store cannot hold'
  return undefined
}

/** Throws `invalid-key`, saying what is wrong with it, where `key` can't be stored under `rules`. */
export function assertKey(
  key: unknown,
  rules: KeyRules,
  operation: string,
  provider: string,
): asserts key is string {
  const problem = keyProblem(key, rules)
  if (problem === undefined) return
  const shown =
    typeof key === 'string' ? ` ${JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key)}` : ''
  throw new StorageError('invalid-key', `${operation}: the key${shown} ${problem}`, {
    operation,
    provider,
    ...(typeof key === 'string' ? { key } : {}),
  })
}

/**
 * Orders keys by their UTF-8 bytes, as every list is ordered.
 *
 * JavaScript compares UTF-16 units, which puts characters beyond U+FFFF (surrogates, 0xD800–0xDFFF) before
 * U+E000–U+FFFF; UTF-8 puts them behind. Lifting the surrogates above the rest gives the same answer without
 * encoding either key.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return lift(x) - lift(y)
  }
  return a.length - b.length
}

function lift(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/**
 * `key` as the path of a URL: each segment percent-encoded, slashes kept. Encodes what RFC 3986 does not list as
 * unreserved, which is also what AWS signatures require.
 */
export function encodeKey(key: string): string {
  if (PLAIN_KEY.test(key)) return key
  return encodeURIComponent(key)
    .replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%2F/g, '/')
}
