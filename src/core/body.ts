import { type BodySource, bodySource } from './body-source.ts'
import { type ChecksumRequest, digest, type Hasher, hasher } from './checksum.ts'
import { SNIFF_BYTES } from './content-type.ts'
import { endedError } from './deadline.ts'
import { StorageError } from './errors.ts'
import type { Progress } from './options.ts'

/** What can be uploaded. Strings, and strings among chunks, are sent as UTF-8. */
export type UploadBody =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | ReadableStream<Uint8Array>
  | NodeJS.ReadableStream
  | AsyncIterable<Uint8Array | string>

/**
 * A body as drivers get it. Either `bytes` holds it whole, or `chunks()` streams it, once.
 *
 * The stream checks itself: it throws at its end, with the last chunk still held back, where the body is shorter
 * or longer than `size` or its checksum is wrong. A driver that stores nothing before the stream has ended is
 * therefore all or nothing by itself.
 */
export interface Body {
  /** Bytes in all, where known before the end. */
  readonly size: number | undefined
  readonly bytes: Uint8Array | undefined
  chunks(): AsyncIterable<Uint8Array>
  /** Reports what has been sent of `bytes`; a stream reports by itself. */
  sent(loaded: number): void
  /** Bytes that the stream has given out. */
  readonly loaded: number
  /** The checksum asked for, in hexadecimal; undefined before the end or where none was asked for. */
  readonly digest: string | undefined
  /** Tells the source that nothing more will be read. */
  discard(): Promise<void>
}

export interface BodyOptions {
  readonly key: string
  readonly provider: string
  readonly size?: number
  readonly checksum?: ChecksumRequest
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

/** A body and the first bytes of it, read ahead so that its type can be told. */
export interface OpenedBody {
  readonly body: Body
  readonly first: Uint8Array
}

/**
 * Opens a caller's body. With `sniff`, up to 4,100 bytes of a stream are read ahead.
 *
 * @throws `invalid-argument` where it is none of the known kinds, or bytes whose length is not `size`;
 *   `checksum-mismatch` for bytes whose checksum is not the one given
 */
export async function openBody(input: UploadBody, sniff: boolean, given: BodyOptions): Promise<OpenedBody> {
  const options = { ...given, onProgress: harmless(given.onProgress) }
  if (typeof input === 'string') assertText(input, options)
  const whole = wholeBytes(input)
  if (whole !== undefined) return { body: bytesBody(whole, options), first: whole }
  if (input instanceof Blob) {
    if (options.size !== undefined && options.size !== input.size) throw lengthError(options, input.size)
    const stream = input.stream() as unknown as AsyncIterable<Uint8Array>
    return streamBody(sourceOf(stream, options), sniff, { ...options, size: input.size })
  }
  if (isAsyncIterable(input)) return streamBody(sourceOf(input, options), sniff, options)
  throw new StorageError(
    'invalid-argument',
    'upload: the body must be a string, bytes, a Blob, a stream or an async iterable of bytes',
    { operation: 'upload', key: options.key, provider: options.provider },
  )
}

function wholeBytes(input: UploadBody): Uint8Array | undefined {
  if (typeof input === 'string') return Buffer.from(input)
  if (input instanceof Uint8Array) return input
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input)
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  return undefined
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array | string> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

function bytesBody(bytes: Uint8Array, options: BodyOptions): Body {
  const { checksum, onProgress, size } = options
  if (size !== undefined && size !== bytes.length) throw lengthError(options, bytes.length)
  const sum = checksum && digest(checksum.algorithm, bytes)
  if (checksum?.expected !== undefined && checksum.expected !== sum) throw checksumError(options)
  return {
    size: bytes.length,
    bytes,
    loaded: bytes.length,
    digest: sum,
    sent: loaded => onProgress?.({ loaded, total: bytes.length }),
    async *chunks() {
      if (bytes.length > 0) yield bytes
      onProgress?.({ loaded: bytes.length, total: bytes.length })
    },
    discard: async () => {},
  }
}

/** Progress is told when bytes have gone already: what its listener throws must not fail an upload that is done. */
function harmless(onProgress: BodyOptions['onProgress']): BodyOptions['onProgress'] {
  if (onProgress === undefined) return undefined
  return progress => {
    try {
      onProgress(progress)
    } catch {}
  }
}

function sourceOf(input: AsyncIterable<unknown>, options: BodyOptions): BodySource {
  try {
    return bodySource(input)
  } catch (cause) {
    throw bodyError("can't be read; is it a stream that another reader has locked?", options, cause)
  }
}

/** UTF-8 has no lone surrogates: they would be stored as other characters, in silence. */
function assertText(text: string, options: BodyOptions): void {
  if (!text.isWellFormed())
    throw bodyError('holds a lone surrogate, perhaps half a character; send bytes instead', options)
}

async function streamBody(source: BodySource, sniff: boolean, options: BodyOptions): Promise<OpenedBody> {
  const reader = new SourceReader(source, options)
  try {
    const first = sniff ? await reader.readAhead(SNIFF_BYTES) : new Uint8Array(0)
    return { body: new StreamBody(reader, options), first }
  } catch (error) {
    await reader.close()
    throw error
  }
}

/** Reads a source chunk by chunk; a pending read ends when the signal does, even where the source hangs. */
class SourceReader {
  readonly #source: BodySource
  readonly #options: BodyOptions
  readonly #ahead: Uint8Array[] = []
  #done = false
  #reject: ((reason: unknown) => void) | undefined
  readonly #onAbort = () => this.#reject?.(this.#ended())

  constructor(source: BodySource, options: BodyOptions) {
    this.#source = source
    this.#options = options
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  #ended(): StorageError {
    return endedError(this.#options.signal!, 'upload', this.#options.provider, this.#options.key)
  }

  async readAhead(bytes: number): Promise<Uint8Array> {
    let have = 0
    while (have < bytes) {
      const chunk = await this.#pull()
      if (chunk === undefined) break
      this.#ahead.push(chunk)
      have += chunk.length
    }
    return this.#ahead.length === 1 ? this.#ahead[0]! : Buffer.concat(this.#ahead)
  }

  /** The next chunk that is not empty, or undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    return this.#ahead.shift() ?? (await this.#pull())
  }

  async #pull(): Promise<Uint8Array | undefined> {
    while (!this.#done) {
      if (this.#options.signal?.aborted) throw this.#ended()
      const { value, done } = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        this.#reject = reject
        this.#source.next().then(resolve, reject)
      }).catch(error => {
        if (error instanceof StorageError) throw error
        this.#finish()
        throw new StorageError('aborted', 'upload: the body failed before its end, nothing was stored', {
          operation: 'upload',
          provider: this.#options.provider,
          key: this.#options.key,
          cause: error,
        })
      })
      if (done) {
        this.#finish()
        return undefined
      }
      if (typeof value === 'string') assertText(value, this.#options)
      const chunk = typeof value === 'string' ? Buffer.from(value) : value
      if (!(chunk instanceof Uint8Array)) throw bodyError('must give bytes or strings', this.#options)
      if (chunk.length > 0) return this.#source.keepsChunks ? chunk : new Uint8Array(chunk)
    }
    return undefined
  }

  #finish(): void {
    this.#done = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Whether there may have been bytes that somebody else has read. */
  get touched(): boolean {
    return this.#source.touched
  }

  async close(): Promise<void> {
    if (this.#done) return
    this.#finish()
    this.#source.stop()
  }
}

class StreamBody implements Body {
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

function bodyError(problem: string, { key, provider }: BodyOptions, cause?: unknown): StorageError {
  return new StorageError('invalid-argument', `upload: the body ${problem}; nothing was stored`, {
    operation: 'upload',
    key,
    provider,
    cause,
  })
}

function lengthError(options: BodyOptions, actual: number): StorageError {
  const { size, key, provider } = options
  const how = actual > size! ? `at least ${actual} bytes long` : `only ${actual} bytes long`
  return new StorageError(
    'invalid-argument',
    `upload: the body is ${how}, ${size} were declared; nothing was stored`,
    { operation: 'upload', key, provider },
  )
}

function checksumError(options: BodyOptions): StorageError {
  const { key, provider, checksum } = options
  return new StorageError(
    'checksum-mismatch',
    `upload: the body does not have the given ${checksum!.algorithm}; nothing was stored`,
    {
      operation: 'upload',
      key,
      provider,
    },
  )
}
