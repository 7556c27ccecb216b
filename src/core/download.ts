import { Readable } from 'node:stream'
import { untilEnded } from './deadline.ts'
import { StorageError } from './errors.ts'
import type { Progress } from './options.ts'
import { harmless } from './progress.ts'
import type { ByteSpan } from './range.ts'
import type { ObjectInfo } from './results.ts'

/** The bytes of a read as they come from a store or from the layer below. Read once. */
export interface ByteSource {
  chunks(): AsyncIterable<Uint8Array>
  /** All of it at once, where that is cheaper than chunk by chunk. */
  bytes?(): Promise<Uint8Array>
  /** Frees the connection of a source that will not be read to its end. Harmless afterwards. */
  cancel(): void
}

export interface DownloadParts {
  readonly info: ObjectInfo
  /** The bytes covered, where a range was asked for. */
  readonly span?: ByteSpan
  readonly source: ByteSource
  readonly onProgress?: (progress: Progress) => void
  /** Ends a read that hangs. */
  readonly signal?: AbortSignal
  /** Makes a `StorageError` of what the source throws. */
  readonly toError?: (error: unknown) => StorageError
  /** Called once, when the body has ended, failed or been cancelled. */
  readonly onEnd?: (error?: StorageError) => void
}

/**
 * An object that is being read. The body can be taken once, in one of the forms below; one that is not wanted
 * after all is given back with `cancel()`, which frees its connection.
 *
 * @example
 * ```ts
 * const photo = await files.download('a/photo.jpg')
 * photo.nodeStream().pipe(response)
 * ```
 */
export class Download implements AsyncIterable<Uint8Array> {
  readonly info: ObjectInfo
  /** The bytes that the body holds, where a range was asked for; `info.size` is the whole object's. */
  readonly range: ByteSpan | undefined
  readonly #parts: DownloadParts
  #taken = false
  #over = false

  constructor(parts: DownloadParts) {
    this.info = parts.info
    this.range = parts.span
    this.#parts = { ...parts, onProgress: harmless(parts.onProgress) }
  }

  /** Bytes that the body must have: what is compared at its end. */
  get length(): number {
    return this.range?.length ?? this.info.size
  }

  async bytes(): Promise<Uint8Array> {
    const { source, onProgress, signal } = this.#parts
    if (source.bytes === undefined) return collect(this, this.length)
    this.#take()
    try {
      const bytes = await untilEnded(source.bytes(), signal)
      this.#check(bytes.length)
      onProgress?.({ loaded: bytes.length, total: this.length })
      this.#end()
      return bytes
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** Decoded as UTF-8. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes())
  }

  /** @throws `invalid-argument` where the object is no JSON */
  async json<T = unknown>(): Promise<T> {
    const text = await this.text()
    try {
      return JSON.parse(text) as T
    } catch (cause) {
      throw new StorageError('invalid-argument', 'download: the object does not hold JSON', {
        operation: 'download',
        key: this.info.key,
        cause,
      })
    }
  }

  /** As a web stream: for `new Response(…)`. Cancelling it frees the connection. */
  stream(): ReadableStream<Uint8Array> {
    const iterator = this[Symbol.asyncIterator]()
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { value, done } = await iterator.next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        async cancel() {
          await iterator.return?.()
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** As a Node stream: for `pipe` and `pipeline`. Destroying it frees the connection. */
  nodeStream(): Readable {
    return Readable.from(this, { objectMode: false })
  }

  /** Gives the body back unread. Harmless when it has been read. */
  cancel(): void {
    this.#taken = true
    if (this.#over) return
    this.#parts.source.cancel()
    this.#end()
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.#take()
    const reading = this.#read()
    return {
      next: () => reading.next(),
      // A generator that has not begun ends without its finally, one that waits only after it: cancel at once.
      return: () => {
        this.cancel()
        return reading.return(undefined)
      },
    }
  }

  /**
   * The same download with its bytes passed through `wrap`, and with other `info` where that is given: for
   * decorators. Takes the body. `onEnd` is called once, when the body has ended, failed or been cancelled.
   */
  through(
    wrap: (source: ByteSource) => ByteSource,
    onEnd?: (error?: StorageError) => void,
    info: ObjectInfo = this.info,
  ): Download {
    this.#take()
    const { span } = this.#parts
    const source: ByteSource = {
      chunks: () => ({ [Symbol.asyncIterator]: () => this.#read() }),
      cancel: () => this.cancel(),
    }
    if (this.#parts.source.bytes !== undefined) {
      source.bytes = () => {
        this.#taken = false
        return this.bytes()
      }
    }
    return new Download({
      info,
      ...(span ? { span } : {}),
      source: wrap(source),
      ...(onEnd ? { onEnd } : {}),
    })
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    const { source, onProgress, signal } = this.#parts
    let loaded = 0
    const chunks = source.chunks()[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { value: chunk, done } = await untilEnded(chunks.next(), signal)
        if (done) break
        loaded += chunk.length
        yield chunk
        onProgress?.({ loaded, total: this.length })
      }
      this.#check(loaded)
      this.#end()
    } catch (error) {
      throw this.#fail(error)
    } finally {
      // Reached by a consumer that stops early, too. A source that hangs never answers: nobody waits for it.
      this.cancel()
      void chunks.return?.().catch(() => {})
    }
  }

  #take(): void {
    if (this.#taken) {
      throw new StorageError('invalid-argument', 'download: the body has been taken already', {
        operation: 'download',
        key: this.info.key,
      })
    }
    this.#taken = true
  }

  #check(loaded: number): void {
    if (loaded === this.length) return
    throw new StorageError(
      'unavailable',
      `download: the connection ended after ${loaded} of ${this.length} bytes`,
      {
        operation: 'download',
        key: this.info.key,
      },
    )
  }

  #fail(error: unknown): StorageError {
    const known =
      error instanceof StorageError
        ? error
        : (this.#parts.toError?.(error) ?? unknownFailure(error, this.info.key))
    this.#parts.source.cancel()
    this.#end(known)
    return known
  }

  #end(error?: StorageError): void {
    if (this.#over) return
    this.#over = true
    this.#parts.onEnd?.(error)
  }
}

function unknownFailure(cause: unknown, key: string): StorageError {
  return new StorageError('internal', 'download: the body failed', { operation: 'download', key, cause })
}

/** All chunks in one array; `expected` bytes are set aside at once, so that nothing is copied twice. */
async function collect(chunks: AsyncIterable<Uint8Array>, expected: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, expected)
}
