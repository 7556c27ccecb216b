import { Readable } from 'node:stream'
import { lengthError } from '../../core/body-failures.ts'
import { bodySource } from '../../core/body-source.ts'
import { SNIFF_BYTES } from '../../core/content-type.ts'
import { SourceReader } from '../../core/source-reader.ts'
import { describeSpool, tooManyBytes } from '../describe/describe.ts'
import type { DescribeSettings } from '../describe/describe-options.ts'
import { imageType } from '../describe/image-type.ts'
import { Spool } from '../describe/spool.ts'
import type { ImageDescription } from '../image-description.ts'

export interface SpoolOptions {
  /** Bytes that the stream is said to have: too many are not even kept. */
  readonly size: number | undefined
  readonly folder: string | undefined
  readonly signal: AbortSignal | undefined
}

export interface StreamNames {
  readonly key: string
  /** Name of the provider, for errors. */
  readonly provider: string
  readonly signal: AbortSignal | undefined
}

/** A stream of which the beginning has been read. `close` it in any case. */
export class StreamedBody {
  readonly #reader: SourceReader
  readonly #names: StreamNames
  /** The type by the first bytes, where it is an image. */
  readonly type: string | undefined
  #spool: Spool | undefined

  private constructor(reader: SourceReader, names: StreamNames, type: string | undefined) {
    this.#reader = reader
    this.#names = names
    this.type = type
  }

  /**
   * `undefined` for a stream that can't be read from its beginning: locked by another reader, or read before.
   *
   * @throws what the stream throws, as an upload does
   */
  static async open(stream: AsyncIterable<unknown>, names: StreamNames): Promise<StreamedBody | undefined> {
    if (Readable.isDisturbed(stream as unknown as Readable)) return undefined
    if (stream instanceof ReadableStream && stream.locked) return undefined
    const reader = new SourceReader(bodySource(stream), names)
    try {
      return new StreamedBody(reader, names, await imageType(await reader.readAhead(SNIFF_BYTES)))
    } catch (error) {
      await reader.close()
      throw error
    }
  }

  /**
   * Keeps the image, in memory or in a file, and describes it. Everything is still there for `body` afterwards.
   *
   * @throws what `describe` throws; what the stream throws, as an upload does; `invalid-argument` where it is longer than
   *   `size`, with no more of it read
   */
  async describe(
    settings: DescribeSettings,
    { size, folder, signal }: SpoolOptions,
  ): Promise<ImageDescription> {
    if (size !== undefined && size > settings.maxBytes) throw tooManyBytes(settings)
    const spool = await Spool.fill(this.#reader, Math.min(settings.maxBytes, size ?? Infinity), folder)
    this.#spool = spool
    if (size !== undefined && spool.size > size) throw lengthError({ ...this.#names, size }, spool.size)
    const recognized = { type: this.type!, settings, signal }
    return describeSpool(spool, recognized).finally(() => spool.unlink())
  }

  /** Bytes in all, where they are known. */
  get size(): number | undefined {
    return this.#spool?.ended ? this.#spool.size : undefined
  }

  /** The body from its beginning, once. */
  get body(): Uint8Array | AsyncIterable<Uint8Array> {
    const spool = this.#spool
    return (spool?.ended ? spool.bytes : undefined) ?? this.#chunks()
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    try {
      if (this.#spool !== undefined) yield* this.#spool.chunks()
      for (let chunk = await this.#reader.next(); chunk !== undefined; chunk = await this.#reader.next())
        yield chunk
    } finally {
      await this.#reader.close()
    }
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.#spool?.remove()
  }
}
