import type { ResumableRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { UploadedPart } from '../../core/resumable-upload.ts'
import type { SourceChunk } from './chunk-source.ts'
import type { TusSource } from './resumable-upload.ts'

interface Part extends UploadedPart {
  readonly bytes: Uint8Array
  release(): void
}

/**
 * Gives the ranges of a source to tus-js-client, part by part. A part is told when the server has taken it, before the next is read;
 * nothing is given before the token is noted. Of a part that had arrived in pieces when its process was killed the rest is
 * sent; it is read whole all the same, for its checksum.
 */
export class PartSource implements TusSource {
  readonly size: number
  readonly #request: ResumableRequest
  readonly #partBytes: number
  #part: Part | undefined
  /** Bytes that have been told. */
  #told: number
  #noted: Promise<void> = Promise.resolve()

  /** @param from bytes that the caller knows already, to the end of a part */
  constructor(request: ResumableRequest, partBytes: number, from: number) {
    this.#request = request
    this.size = request.source.size
    this.#partBytes = partBytes
    this.#told = from
  }

  /** Waits for the caller before the first bytes are given. */
  begun(noted: Promise<void>): void {
    this.#noted = noted
    // Told to who asks for the first bytes.
    noted.catch(() => {})
  }

  async slice(start: number): Promise<{ value: SourceChunk | null; done: boolean }> {
    await this.#noted
    await this.#tellUpTo(start)
    if (start < this.#told)
      throw new StorageError('unavailable', 'the server lost a part of the upload that it had taken')
    const part = await this.#read()
    const bytes = part.bytes.subarray(start - part.start)
    return { value: { bytes, size: bytes.length }, done: part.end === this.size }
  }

  /** The server has all of it. */
  async ended(): Promise<void> {
    await this.#noted
    await this.#tellUpTo(this.size)
  }

  close(): void {}

  async #tellUpTo(offset: number): Promise<void> {
    while (this.#told < this.size) {
      const end = Math.min(this.size, this.#told + this.#partBytes)
      if (end > offset) return
      const { bytes: _, release, ...part } = await this.#read()
      release()
      this.#part = undefined
      this.#told = end
      await this.#request.stored(part)
    }
  }

  /** The part behind those that were told. */
  async #read(): Promise<Part> {
    if (this.#part !== undefined) return this.#part
    const start = this.#told
    const end = Math.min(this.size, start + this.#partBytes)
    this.#part = { start, end, ...(await this.#request.source.read(start, end, this.#request.signal)) }
    return this.#part
  }
}
