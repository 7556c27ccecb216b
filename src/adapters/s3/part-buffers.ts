import { StorageError } from '../../core/errors.ts'
import type { S3Settings } from './options.ts'

/** S3 takes this many parts. */
export const MAX_PARTS = 10_000
/** Of an unknown length: after so many parts they double, so that 10,000 of them hold 8 TiB at 8 MiB to begin with, and 4.9 TiB at 5 MiB. */
const PARTS_UNTIL_DOUBLED = 1000

/** Most streams are small: the first part begins with so much memory and grows. */
const FIRST_BYTES = 256 * 1024

export interface PartBuffer {
  /** From 1. */
  readonly number: number
  readonly bytes: Uint8Array
  /** The stream ended with it. */
  readonly last: boolean
  /** Its memory may be used again. */
  release(): void
}

/** Bytes of part `number`. */
export function partSizes(
  { partSizeBytes, multipartThresholdBytes }: Pick<S3Settings, 'partSizeBytes' | 'multipartThresholdBytes'>,
  total: number | undefined,
): (number: number) => number {
  if (total === undefined)
    return number => partSizeBytes * 2 ** Math.floor((number - 1) / PARTS_UNTIL_DOUBLED)
  const size =
    total <= multipartThresholdBytes
      ? Math.max(1, total)
      : Math.max(partSizeBytes, Math.ceil(total / MAX_PARTS))
  return () => size
}

/**
 * Cuts a stream into parts, at most `most` of them in memory: the buffers of parts that were released are filled
 * again. One part is read ahead, so that the last one knows that it is.
 */
export function partBuffers(
  chunks: AsyncIterable<Uint8Array>,
  sizeOf: (number: number) => number,
  most: number,
) {
  const source = chunks[Symbol.asyncIterator]()
  const free: Buffer[] = []
  let held = 0
  let number = 0
  let rest: Uint8Array | undefined
  let ended = false
  let ahead: PartBuffer | undefined

  async function read(): Promise<PartBuffer | undefined> {
    if (ended && rest === undefined) return undefined
    const size = sizeOf(++number)
    let buffer: Buffer | undefined
    let filled = 0
    while (filled < size) {
      if (rest === undefined) {
        const step = await source.next()
        if (step.done) {
          ended = true
          break
        }
        rest = step.value
      }
      buffer ??= take(number === 1 ? Math.min(size, FIRST_BYTES) : size)
      if (filled === buffer.length) buffer = grown(buffer, size)
      const taken = rest.subarray(0, buffer.length - filled)
      buffer.set(taken, filled)
      filled += taken.length
      rest = taken.length === rest.length ? undefined : rest.subarray(taken.length)
    }
    if (buffer === undefined) return undefined
    if (number > MAX_PARTS)
      throw new StorageError('too-large', `the body has more than ${MAX_PARTS} parts; raise partSizeBytes`)
    const whole = buffer
    return { number, bytes: whole.subarray(0, filled), last: false, release: () => give(whole) }
  }

  function take(size: number): Buffer {
    held++
    const index = free.findIndex(buffer => buffer.length === size)
    return index < 0 ? Buffer.allocUnsafeSlow(size) : free.splice(index, 1)[0]!
  }

  function grown(buffer: Buffer, most: number): Buffer {
    const larger = Buffer.allocUnsafeSlow(Math.min(most, buffer.length * 4))
    buffer.copy(larger)
    return larger
  }

  function give(buffer: Buffer): void {
    held--
    free.push(buffer)
  }

  return {
    /** Whether another part would be one more than may be held. */
    get full(): boolean {
      return held >= most
    },
    async next(): Promise<PartBuffer | undefined> {
      const part = ahead ?? (await read())
      ahead = undefined
      if (part === undefined) return undefined
      ahead = await read()
      return ahead === undefined ? { ...part, last: true } : part
    },
    async close(): Promise<void> {
      await source.return?.()
    },
  }
}
