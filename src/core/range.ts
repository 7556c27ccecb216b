import { StorageError } from './errors.ts'
import type { ByteRange } from './options.ts'

/** A range as drivers get it: HTTP's two forms, or `empty` for one of no bytes, which HTTP can't say. */
export type HttpRange =
  | { readonly kind: 'from'; readonly start: number /** Inclusive. */; readonly end?: number }
  | { readonly kind: 'suffix'; readonly length: number }
  | { readonly kind: 'empty'; readonly start: number }

const ONE_RANGE = /^bytes=(?:(\d{1,16})-(\d{1,16})?|-(\d{1,16}))$/

/** Brings every form of `range` into one. @throws `invalid-argument` */
export function httpRange(range: ByteRange | undefined, provider: string): HttpRange | undefined {
  if (range === undefined) return undefined
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `download: range ${problem}`, { operation: 'download', provider })
  if (typeof range === 'string') {
    const match = ONE_RANGE.exec(range)
    if (match === null) throw refuse("must be one range in bytes, such as 'bytes=0-99'")
    const [, start, end, suffix] = match
    if (suffix !== undefined) return httpRange({ suffix: Number(suffix) }, provider)
    return httpRange({ start: Number(start), ...(end === undefined ? {} : { end: Number(end) }) }, provider)
  }
  if (typeof range !== 'object' || range === null) throw refuse('must be an object or a string')
  const whole = (name: string, value: unknown): number => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw refuse(`needs a whole ${name} of 0 or more`)
  }
  if ('suffix' in range) {
    const length = whole('suffix', range.suffix)
    return length === 0 ? { kind: 'empty', start: 0 } : { kind: 'suffix', length }
  }
  if ('offset' in range) {
    const start = whole('offset', range.offset)
    if (range.length === undefined) return { kind: 'from', start }
    const length = whole('length', range.length)
    return length === 0 ? { kind: 'empty', start } : { kind: 'from', start, end: start + length - 1 }
  }
  const start = whole('start', range.start)
  if (range.end === undefined) return { kind: 'from', start }
  const end = whole('end', range.end)
  if (end < start) throw refuse('ends before it starts')
  return { kind: 'from', start, end }
}

/** The value of a `Range` header. */
export function rangeHeader(range: Exclude<HttpRange, { kind: 'empty' }>): string {
  return range.kind === 'suffix' ? `bytes=-${range.length}` : `bytes=${range.start}-${range.end ?? ''}`
}

/** Which bytes of an object a read covers. */
export interface ByteSpan {
  readonly offset: number
  readonly length: number
}

/** What `range` covers of an object of `size` bytes, clipped to its end; undefined where it starts past it. */
export function spanOf(range: HttpRange, size: number): ByteSpan | undefined {
  if (range.kind === 'empty') return range.start > size ? undefined : { offset: range.start, length: 0 }
  if (range.kind === 'suffix') {
    const length = Math.min(range.length, size)
    return { offset: size - length, length }
  }
  if (range.start >= size) return undefined
  return { offset: range.start, length: Math.min(range.end ?? size - 1, size - 1) - range.start + 1 }
}

/** Reads `bytes 0-99/1234`. */
export function parseContentRange(
  header: string | undefined,
): (ByteSpan & { readonly size: number }) | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '')
  if (match === null) return undefined
  const [start, end, size] = match.slice(1).map(Number) as [number, number, number]
  return { offset: start, length: end - start + 1, size }
}

export function rangePastEnd(key: string, size: number | undefined, provider: string): StorageError {
  return new StorageError(
    'invalid-argument',
    `download: the range starts past the end of the object${size === undefined ? '' : ` (${size} bytes)`}`,
    {
      operation: 'download',
      provider,
      key,
      status: 416,
    },
  )
}
