import { readFile } from 'node:fs/promises'
import type { UploadBody } from '../../core/body.ts'
import { bodySource } from '../../core/body-source.ts'
import { SNIFF_BYTES } from '../../core/content-type.ts'
import { deadline, endedError, untilEnded } from '../../core/deadline.ts'
import { Download } from '../../core/download.ts'
import { isStorageError } from '../../core/errors.ts'
import { wholeBytes } from '../../core/open-body.ts'
import { SourceReader } from '../../core/source-reader.ts'
import type { ImageDescription } from '../image-description.ts'
import { decodeImage } from './decode-image.ts'
import { type DescribeOptions, type DescribeSettings, describeSettings } from './describe-options.ts'
import { imageFailure } from './image-failure.ts'
import { imageType, isAnimatedPng } from './image-type.ts'
import { Spool } from './spool.ts'

/**
 * What an image is: type, size as seen, animation, alpha and blurhash. Needs the package `sharp`.
 *
 * A stream is kept in memory up to 1 MiB and in a temporary file beyond that, which is gone afterwards. What does not
 * begin as an image is refused before the rest is read. Decoding takes threads of Node's pool (`UV_THREADPOOL_SIZE`, 4
 * by default): so many images are decoded at once, others wait.
 *
 * A file that is cut short or damaged behind its head still has a size: its `blurhash` is absent.
 *
 * @throws `invalid-argument` for what is no image, or damaged in its head; `too-large` above a limit; `timeout`;
 *   `aborted`, also where the stream fails; `unsupported` without sharp
 *
 * @example
 * ```ts
 * const { width, height, blurhash } = await describe(await files.download('a/photo.jpg'))
 * ```
 */
export async function describe(input: UploadBody, options: DescribeOptions = {}): Promise<ImageDescription> {
  const settings = describeSettings(options)
  const { signal } = options
  const { clear } = deadline({ signal }, 'describe', 'images')
  clear()
  const bytes = wholeBytes(input)
  if (bytes !== undefined)
    return describeWhole(bytes, { type: await imageTypeOf(bytes), first: bytes, settings, signal })
  const tooLong = sizeOf(input)
  if (tooLong !== undefined && tooLong > settings.maxBytes) {
    if (input instanceof Download) input.cancel()
    throw tooManyBytes(settings)
  }
  const reader = readerOf(input, signal)
  try {
    const first = await reader.readAhead(SNIFF_BYTES).catch(unread)
    const type = await imageTypeOf(first)
    const spool = await Spool.fill(reader, settings.maxBytes).catch(unread)
    return await describeSpool(spool, { type, first, settings, signal }).finally(() => spool.remove())
  } finally {
    await reader.close()
  }
}

export interface Recognized {
  readonly type: string
  /** The first bytes of the file. */
  readonly first: Uint8Array
  readonly settings: DescribeSettings
  readonly signal: AbortSignal | undefined
}

/** @throws as `describe`, and `too-large` or `internal` where the spool does not hold the whole file */
export async function describeSpool(spool: Spool, recognized: Recognized): Promise<ImageDescription> {
  if (spool.failure !== undefined)
    throw imageFailure('internal', 'the image could not be kept in a temporary file', spool.failure)
  if (!spool.ended || spool.size > recognized.settings.maxBytes) throw tooManyBytes(recognized.settings)
  return describeWhole(spool.bytes ?? spool.path!, recognized)
}

/** @param image the whole file, or its path */
export async function describeWhole(
  image: Uint8Array | string,
  { type, first, settings, signal }: Recognized,
): Promise<ImageDescription> {
  if (typeof image !== 'string' && image.length > settings.maxBytes) throw tooManyBytes(settings)
  const ends = deadline({ signal, timeoutMs: settings.timeoutMs }, 'describe', 'images')
  try {
    const description = await untilEnded(
      readable(image, type).then(file => decodeImage(file, type, settings)),
      ends.signal,
    )
    if (type !== 'image/png') return description
    return { ...description, animated: isAnimatedPng(first) }
  } catch (error) {
    if (ends.signal?.aborted && error === ends.signal.reason)
      throw endedError(ends.signal, 'describe', 'images')
    throw error
  } finally {
    ends.clear()
  }
}

/**
 * sharp's cache keeps files of these kinds open, and their place on the disk with them, after they were removed. It maps
 * them into memory as a whole, too. SVG that comes as bytes has no folder that it could refer to other files in.
 */
async function readable(image: Uint8Array | string, type: string): Promise<Uint8Array | string> {
  const kept = ['image/gif', 'image/webp', 'image/svg+xml'].includes(type)
  return typeof image === 'string' && kept ? readFile(image) : image
}

async function imageTypeOf(first: Uint8Array): Promise<string> {
  const type = await imageType(first)
  if (type !== undefined) return type
  throw imageFailure('invalid-argument', 'this is no image of a kind that is described: see docs/images.md')
}

function sizeOf(input: UploadBody): number | undefined {
  if (input instanceof Download) return input.length
  return input instanceof Blob ? input.size : undefined
}

function readerOf(input: UploadBody, signal: AbortSignal | undefined): SourceReader {
  const stream = input instanceof Blob ? input.stream() : input
  if (typeof stream !== 'object' || stream === null || !(Symbol.asyncIterator in stream))
    throw imageFailure('invalid-argument', 'give bytes, a Blob, a stream or an async iterable of bytes')
  try {
    return new SourceReader(bodySource(stream as AsyncIterable<unknown>), {
      key: '',
      provider: 'images',
      signal,
    })
  } catch (cause) {
    throw imageFailure('invalid-argument', "the stream can't be read; has another reader locked it?", cause)
  }
}

/** The reader of bodies speaks of uploads. */
function unread(error: unknown): never {
  if (!isStorageError(error)) throw error
  const { code, cause } = error
  if (code === 'timeout') throw imageFailure(code, 'timed out while the stream was read', cause)
  throw imageFailure(code, 'the stream was ended, or gave what is no bytes, before its end', cause ?? error)
}

export function tooManyBytes({ maxBytes }: DescribeSettings) {
  return imageFailure('too-large', `the file has more than ${maxBytes} bytes, the limit of maxBytes`)
}
