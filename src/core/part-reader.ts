import { createHash } from 'node:crypto'
import { bodySource } from './body-source.ts'
import { digest } from './checksum.ts'
import { untilEnded } from './deadline.ts'
import type { PartBytes, PartSource } from './driver.ts'
import { StorageError } from './errors.ts'
import { OwnSignals } from './own-signals.ts'
import type { RangeSource } from './resumable-upload.ts'

/** Reads parts of a caller's source whole, and hashes them. The memory of parts that were released is used again. */
export class PartReader implements PartSource {
  readonly size: number
  readonly #source: RangeSource
  readonly #free: Buffer[] = []
  /** By the signal that a driver reads parts under, which may be one for all of them. */
  readonly #signals = new WeakMap<AbortSignal, OwnSignals>()

  constructor(source: RangeSource) {
    this.#source = source
    this.size = source.size
  }

  /** @throws `aborted` where the source fails; `invalid-argument` for bytes of another length */
  async read(start: number, end: number, signal: AbortSignal | undefined): Promise<PartBytes> {
    if (signal === undefined) return this.#read(start, end, signal)
    const signals = this.#signals.get(signal) ?? new OwnSignals(signal)
    this.#signals.set(signal, signals)
    return signals.during(own => this.#read(start, end, own))
  }

  async #read(start: number, end: number, signal: AbortSignal | undefined): Promise<PartBytes> {
    try {
      const given = await untilEnded(this.#open(start, end, signal), signal, closeUnread)
      if (given instanceof Uint8Array) {
        if (given.length !== end - start) throw wrongLength(start, end, given.length)
        return { bytes: given, sha256: digest('sha256', given), release() {} }
      }
      return await untilEnded(this.#collect(given, start, end), signal)
    } catch (error) {
      if (error instanceof StorageError || signal?.aborted) throw error
      throw new StorageError('aborted', `the source failed to give bytes ${start} to ${end - 1}`, {
        cause: error,
      })
    }
  }

  async #open(start: number, end: number, signal: AbortSignal | undefined) {
    const given: unknown = await this.#source.read(start, end, signal)
    if (given instanceof Uint8Array) return given
    if (typeof given === 'object' && given !== null && Symbol.asyncIterator in given)
      return given as AsyncIterable<Uint8Array>
    throw new StorageError('invalid-argument', 'read must give a Uint8Array or an async iterable of them')
  }

  async #collect(chunks: AsyncIterable<Uint8Array>, start: number, end: number): Promise<PartBytes> {
    const length = end - start
    const index = this.#free.findIndex(buffer => buffer.length === length)
    const bytes = index < 0 ? Buffer.allocUnsafeSlow(length) : this.#free.splice(index, 1)[0]!
    const hash = createHash('sha256')
    let have = 0
    for await (const chunk of chunks) {
      if (!(chunk instanceof Uint8Array))
        throw new StorageError('invalid-argument', 'read must give chunks that are Uint8Array')
      if (have + chunk.length > length) throw wrongLength(start, end, have + chunk.length)
      bytes.set(chunk, have)
      hash.update(chunk)
      have += chunk.length
    }
    if (have < length) throw wrongLength(start, end, have)
    return { bytes, sha256: hash.digest('hex'), release: () => void this.#free.push(bytes) }
  }
}

function closeUnread(given: Uint8Array | AsyncIterable<Uint8Array>): void {
  if (!(given instanceof Uint8Array)) bodySource(given).stop()
}

function wrongLength(start: number, end: number, actual: number): StorageError {
  const asked = end - start
  const how = actual > asked ? `at least ${actual}` : `only ${actual}`
  return new StorageError(
    'invalid-argument',
    `the source gave ${how} bytes where ${asked} were asked for (${start} to ${end - 1}); nothing was stored`,
  )
}
