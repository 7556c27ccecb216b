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
