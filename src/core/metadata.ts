import { StorageError } from './errors.ts'

/** A header's name (RFC 9110, section 5.6.2): metadata travels as headers on most stores. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
/** S3 allows 2 KB of names and values together. */
export const MAX_METADATA_BYTES = 2048

/**
 * Metadata as it is stored: names in lower case, values as given. @throws `invalid-argument` for an empty or odd
 * name, two names that differ by case only, a value that is no well-formed string, or more than 2 KB in all.
 */
export function normalizeMetadata(
  metadata: Record<string, string> | undefined,
  operation: string,
  provider: string,
): Record<string, string> | undefined {
  if (metadata === undefined) return undefined
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `${operation}: metadata ${problem}`, { operation, provider })
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw refuse('must be an object of strings')
  const kept: Record<string, string> = Object.create(null)
  let bytes = 0
  for (const [name, value] of Object.entries(metadata)) {
    const lower = name.toLowerCase()
    if (!TOKEN.test(name)) throw refuse(`name ${JSON.stringify(name)} must be letters, digits and - _ .`)
    if (lower in kept) throw refuse(`holds '${lower}' twice; names do not differ by case`)
    if (typeof value !== 'string') throw refuse(`'${name}' must be a string`)
    if (!value.isWellFormed() || /\u0000/.test(value))
      throw refuse(`'${name}' must be well-formed text without NUL`)
    kept[lower] = value
    bytes += Buffer.byteLength(lower) + Buffer.byteLength(value)
  }
  if (bytes > MAX_METADATA_BYTES)
    throw refuse(`takes ${bytes} bytes; at most ${MAX_METADATA_BYTES} are allowed`)
  return { ...kept }
}

/** What headers may carry as they are: no line ends, nothing outside printable Latin-1. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Throws `invalid-argument` for a header value that could end its line or that no header can carry. */
export function assertHeaderValue(name: string, value: unknown, operation: string, provider: string): void {
  if (typeof value === 'string' && value !== '' && HEADER_VALUE.test(value)) return
  throw new StorageError('invalid-argument', `${operation}: ${name} must be a line of printable characters`, {
    operation,
    provider,
  })
}
