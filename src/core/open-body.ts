import type { Body, UploadBody } from './body.ts'
import { assertText, type BodyOptions, bodyError, checksumError, lengthError } from './body-failures.ts'
import { type BodySource, bodySource } from './body-source.ts'
import { digest } from './checksum.ts'
import { SNIFF_BYTES } from './content-type.ts'
import { StorageError } from './errors.ts'
import { harmless } from './progress.ts'
import { SourceReader } from './source-reader.ts'
import { StreamBody } from './stream-body.ts'

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

/** A body that is whole already, as bytes; undefined for one that is read. */
export function wholeBytes(input: UploadBody): Uint8Array | undefined {
  if (typeof input === 'string') return Buffer.from(input)
  if (input instanceof SharedArrayBuffer) return Uint8Array.from(new Uint8Array(input))
  if (input instanceof ArrayBuffer) return new Uint8Array(input)
  if (!ArrayBuffer.isView(input)) return undefined
  const bytes =
    input instanceof Uint8Array ? input : new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  // Shared memory may change while it is sent, and `fetch` takes none.
  return input.buffer instanceof SharedArrayBuffer ? Uint8Array.from(bytes) : bytes
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

function sourceOf(input: AsyncIterable<unknown>, options: BodyOptions): BodySource {
  try {
    return bodySource(input)
  } catch (cause) {
    throw bodyError("can't be read; is it a stream that another reader has locked?", options, cause)
  }
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
