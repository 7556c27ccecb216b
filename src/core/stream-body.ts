import type { Body } from './body.ts'
import { type BodyOptions, bodyError, checksumError, lengthError } from './body-failures.ts'
import { type Hasher, hasher } from './checksum.ts'
import { StorageError } from './errors.ts'
import type { SourceReader } from './source-reader.ts'

/** A body that is read from a source, once, and checks itself before its last chunk is given out. */
export class StreamBody implements Body {
  readonly bytes = undefined
  loaded = 0
  digest: string | undefined
  readonly #reader: SourceReader
  readonly #options: BodyOptions
  readonly #hash: Hasher | undefined
  #taken = false

  constructor(reader: SourceReader, options: BodyOptions) {
    this.#reader = reader
    this.#options = options
    this.#hash = options.checksum && hasher(options.checksum.algorithm)
  }

  get size(): number | undefined {
    return this.#options.size
  }

  sent(): void {}

  async *chunks(): AsyncIterable<Uint8Array> {
    if (this.#taken) throw new StorageError('internal', 'upload: a streamed body can be read once')
    this.#taken = true
    const { size, onProgress } = this.#options
    let read = 0
    try {
      // Held back by one chunk: a store that was told the length would publish the object with its last byte,
      // before the checks at the end of the body could stop it.
      let held = await this.#reader.next()
      while (held !== undefined) {
        read += held.length
        if (size !== undefined && read > size) throw lengthError(this.#options, read)
        this.#hash?.update(held)
        const following = await this.#reader.next()
        if (following === undefined) this.#check(read)
        this.loaded = read
        yield held
        onProgress?.({ loaded: read, ...(size === undefined ? {} : { total: size }) })
        held = following
      }
      if (read === 0) this.#check(0)
    } finally {
      await this.#reader.close()
    }
  }

  #check(read: number): void {
    const { size, checksum } = this.#options
    if (size !== undefined && read !== size) throw lengthError(this.#options, read)
    if (read === 0 && size === undefined && this.#reader.touched)
      throw bodyError(
        'has been read before and has nothing left; for an empty object give size: 0',
        this.#options,
      )
    this.digest = this.#hash?.digest()
    if (checksum?.expected !== undefined && checksum.expected !== this.digest)
      throw checksumError(this.#options)
  }

  discard(): Promise<void> {
    return this.#reader.close()
  }
}
