import { StorageError } from '../../core/errors.ts'

/** A body as far as it has been read, and the rest of it. */
export interface SourceBody {
  readonly ahead: Uint8Array[]
  readonly source: AsyncIterator<Uint8Array>
  readonly size: number | undefined
}

export interface SourceChunk {
  readonly bytes: Uint8Array
  /** Read by the library. */
  readonly size: number
}

/** Gives a stream to tus-js-client in chunks, and the last chunk again where its answer was lost. Holds one chunk. */
export class ChunkSource {
  readonly size: number
  /** Bytes given so far, each once. */
  given = 0
  readonly #body: SourceBody
  readonly #chunkBytes: number
  #memory: Uint8Array | undefined
  #chunk: Uint8Array = new Uint8Array(0)
  #ended = false

  constructor(body: SourceBody, chunkBytes: number) {
    this.#body = body
    this.#chunkBytes = chunkBytes
    this.size = body.size ?? 0
  }

  async slice(start: number, end: number): Promise<{ value: SourceChunk | null; done: boolean }> {
    const kept = this.given - this.#chunk.length
    if (start < kept || start > this.given)
      throw new StorageError('unavailable', 'the server lost a part of the upload that it had taken')
    if (start === this.given) await this.#fill(Math.min(this.#chunkBytes, end - start))
    const bytes = this.#chunk.subarray(start - (this.given - this.#chunk.length))
    const value = bytes.length === 0 ? null : { bytes, size: bytes.length }
    return { value, done: this.#ended }
  }

  close(): void {}

  async #fill(length: number): Promise<void> {
    // The one before has arrived: its memory is free, and the caller may use its own buffers again.
    this.#memory ??= new Uint8Array(Math.min(this.#chunkBytes, this.#body.size ?? this.#chunkBytes))
    let have = 0
    while (have < length) {
      const next = await this.#next()
      if (next === undefined) break
      const part = next.subarray(0, length - have)
      if (part.length < next.length) this.#body.ahead.unshift(next.subarray(part.length))
      this.#memory.set(part, have)
      have += part.length
    }
    this.#chunk = this.#memory.subarray(0, have)
    this.given += have
    // Looked for at once: with an unknown length the last chunk must say that it is the last.
    const following = await this.#next()
    if (following !== undefined) this.#body.ahead.unshift(following)
  }

  async #next(): Promise<Uint8Array | undefined> {
    const ahead = this.#body.ahead.shift()
    if (ahead !== undefined) return ahead
    if (this.#ended) return undefined
    const { value, done } = await this.#body.source.next()
    if (!done) return value
    this.#ended = true
    return undefined
  }
}
