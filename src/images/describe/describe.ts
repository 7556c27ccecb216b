import type { UploadBody } from '../../core/body.ts'
import { bodySource } from '../../core/body-source.ts'
import { SNIFF_BYTES } from '../../core/content-type.ts'
import { deadline } from '../../core/deadline.ts'
import { Download } from '../../core/download.ts'
import { isStorageError } from '../../core/errors.ts'
import { wholeBytes } from '../../core/open-body.ts'
import { SourceReader } from '../../core/source-reader.ts'
import type { ImageDescription } from '../image-description.ts'
import { decodeImage } from './decode-image.ts'
import { decodeInTurn } from './decode-in-turn.ts'
import { type DescribeOptions, type DescribeSettings, describeSettings } from './describe-options.ts'
import { imageFailure, noImage, tooManyPixels } from './image-failure.ts'
import { type ImageFile, imageInMemory } from './image-file.ts'
import { imageType } from './image-type.ts'
import { readPngHead } from './png-head.ts'
import { Spool } from './spool.ts'
import { svgSize } from './svg-size.ts'

/** Of an SVG: editors put long comments and lists of names before its size. */
const SVG_START_BYTES = 64 * 2 ** 10

/**
 * What an image is: type, size as seen, animation, alpha and blurhash. Needs the package `sharp`.
 *
 * A stream is kept in memory up to 1 MiB and in a temporary file beyond that, which is gone afterwards. What does not
 * begin as an image is refused before the rest is read. As many images as the machine has processors are decoded at once,
 * and one less than Node's pool has threads (`UV_THREADPOOL_SIZE`, 4 by default); others wait for their turn.
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
    return describeFile(imageInMemory(bytes), { type: await imageTypeOf(bytes), settings, signal })
  const tooLong = sizeOf(input)
  if (tooLong !== undefined && tooLong > settings.maxBytes) {
    if (input instanceof Download) input.cancel()
    throw tooManyBytes(settings)
  }
  const reader = readerOf(input, signal)
  try {
    const type = await imageTypeOf(await reader.readAhead(SNIFF_BYTES).catch(unread))
    const spool = await Spool.fill(reader, settings.maxBytes).catch(unread)
    return await describeSpool(spool, { type, settings, signal }).finally(() => spool.remove())
  } finally {
    await reader.close()
  }
}

export interface Recognized {
  readonly type: string
  readonly settings: DescribeSettings
  readonly signal: AbortSignal | undefined
}

/** @throws as `describe`, and `too-large` or `internal` where the spool does not hold the whole file */
export async function describeSpool(spool: Spool, recognized: Recognized): Promise<ImageDescription> {
  if (spool.failure !== undefined)
    throw imageFailure('internal', 'the image could not be kept in a temporary file', spool.failure)
  if (!spool.ended || spool.size > recognized.settings.maxBytes) throw tooManyBytes(recognized.settings)
  return describeFile(spool, recognized)
}

export async function describeFile(
  file: ImageFile,
  { type, settings, signal }: Recognized,
): Promise<ImageDescription> {
  if (file.size > settings.maxBytes) throw tooManyBytes(settings)
  if (type === 'image/svg+xml' && !settings.drawSvg) return describeSvg(file, settings)
  // Before sharp reads it at all: it unpacks what is refused here.
  const animated = type === 'image/png' && (await readPngHead(file)).animated
  const description = await decodeInTurn(() => decodeImage(file, type, settings), {
    signal,
    timeoutMs: settings.timeoutMs,
  })
  return animated ? { ...description, animated } : description
}

async function describeSvg(file: ImageFile, { maxPixels }: DescribeSettings): Promise<ImageDescription> {
  const size = svgSize(await file.read(0, SVG_START_BYTES))
  if (size === undefined)
    throw imageFailure('invalid-argument', 'the SVG says no size; with drawSvg it is measured')
  if (size.width * size.height > maxPixels) throw tooManyPixels()
  return { type: 'image/svg+xml', ...size, animated: false, alpha: true }
}

async function imageTypeOf(first: Uint8Array): Promise<string> {
  const type = await imageType(first)
  if (type !== undefined) return type
  throw noImage()
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
