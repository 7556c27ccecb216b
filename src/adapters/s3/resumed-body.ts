import { eitherSignal } from '../../core/deadline.ts'
import type { ByteSource } from '../../core/download.ts'
import { StorageError } from '../../core/errors.ts'
import { parseContentRange } from '../../core/range.ts'
import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import { one } from './object-headers.ts'
import { type HttpAnswer, MAX_UNREAD_BYTES, ReaderTooSlow } from './transport.ts'

/** The bytes that are wanted of an object, and what tells whether it is still the same. */
export interface Wanted {
  readonly key: string
  readonly offset: number
  readonly length: number
  /** As the server wrote it, quotes and all; undefined where it sent none. */
  readonly etag: string | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * The body of an answer that can't be paused. When its reader falls behind, the answer is given up, and the rest is
 * asked for in ranges that fit into memory, under the etag of the first answer.
 */
export class ResumedBody implements ByteSource {
  readonly #connection: S3Connection
  readonly #wanted: Wanted
  #current: HttpAnswer['body']
  #read = 0
  readonly #given = new AbortController()

  constructor(connection: S3Connection, wanted: Wanted, first: HttpAnswer['body']) {
    this.#connection = connection
    this.#wanted = wanted
    this.#current = first
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#counted()
    } catch (error) {
      if (!(error instanceof ReaderTooSlow)) throw error
      while (this.#read < this.#wanted.length) {
        this.#current = await this.#next(error)
        yield* this.#counted()
      }
    }
  }

  async bytes(): Promise<Uint8Array> {
    try {
      return await this.#current.bytes()
    } catch (error) {
      if (!(error instanceof ReaderTooSlow)) throw error
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of this.chunks()) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  cancel(): void {
    this.#given.abort(new DOMException('the body is not wanted', 'AbortError'))
    this.#current.cancel()
  }

  async *#counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#current.chunks()) {
      this.#read += chunk.length
      yield chunk
    }
  }

  /** Asks for the next piece. Nothing but the bytes that follow, of the same object, is taken. */
  async #next(cause: ReaderTooSlow): Promise<HttpAnswer['body']> {
    const { key, etag, signal } = this.#wanted
    // A weak etag never matches (RFC 9110, 13.1.1), and does not promise the same bytes.
    if (etag === undefined || etag.startsWith('W/'))
      throw this.#error(
        'unavailable',
        'the reader was too slow for a server that closes its connections',
        cause,
      )
    const start = this.#wanted.offset + this.#read
    const length = Math.min(this.#wanted.length - this.#read, MAX_UNREAD_BYTES)
    const { status, headers, body } = await this.#connection
      .send({
        method: 'GET',
        key,
        headers: { range: `bytes=${start}-${start + length - 1}`, 'if-match': etag },
        signal: eitherSignal(signal, this.#given.signal),
      })
      .catch(error => {
        throw error instanceof S3Failure && [404, 412].includes(error.status) ? this.#replaced(error) : error
      })
    const part = parseContentRange(one(headers, 'content-range'))
    // Some servers ignore If-Match.
    const same = one(headers, 'etag') === etag
    if (same && status === 206 && part?.offset === start && part.length === length) return body
    body.cancel()
    if (!same) throw this.#replaced(cause)
    throw this.#error('unavailable', 'the server was asked for a range and sent something else', cause)
  }

  #replaced(cause: Error): StorageError {
    const problem = 'the object was replaced or deleted while it was read; read it again from its start'
    return this.#error('conflict', problem, cause)
  }

  #error(code: 'conflict' | 'unavailable', problem: string, cause: Error): StorageError {
    const { key } = this.#wanted
    return new StorageError(code, `download: ${problem}`, {
      operation: 'download',
      provider: 's3',
      key,
      cause,
      ...(cause instanceof S3Failure ? { status: cause.status } : {}),
    })
  }
}
