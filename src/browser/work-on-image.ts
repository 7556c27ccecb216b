import type { StorageError } from '../core/errors.ts'
import { encodeBlurhash } from '../images/blurhash/encode.ts'
import { readImageHeader } from './image-header.ts'
import type { ImageSettings, ProcessedImage } from './image-options.ts'
import type { PixelAnswer, PixelWish } from './pixel-work.ts'
import { refused } from './refused.ts'

/** What a canvas may write in place of a format; for others it depends on whether pixels are transparent. */
const WRITTEN_AS: Record<string, string> = {
  'image/jpeg': 'image/jpeg',
  'image/png': 'image/png',
  'image/webp': 'image/webp',
  'image/avif': 'image/webp',
}

/** One image, with `work` for its pixels; that happens in a worker or here. */
export async function workOnImage(
  file: Blob,
  settings: ImageSettings,
  work: (file: Blob, wish: PixelWish) => Promise<PixelAnswer>,
): Promise<ProcessedImage> {
  const { maxWidth, maxHeight, maxPixels, quality, reencode } = settings
  const header = await readImageHeader(file).catch(() => {
    throw refused('processImage', 'the file can not be read; was it changed or removed?', 'unavailable')
  })
  const { animated } = header
  const type = header.type || file.type
  if (header.width * header.height > maxPixels) throw failureOf('too-large', type, settings)
  const must = reencode === 'always' || header.orientation > 1 || (settings.type ?? type) !== type
  const answer = await work(file, {
    maxWidth,
    maxHeight,
    maxPixels,
    quality,
    type: settings.type ?? WRITTEN_AS[type],
    write: animated || reencode === 'never' ? 'never' : must ? 'always' : 'when-shrunk',
  })
  if ('failure' in answer) throw failureOf(answer.failure, type, settings)
  const { width, height, small, blob = file } = answer
  const reencoded = blob !== file
  if (reencode === 'always' && !reencoded && !animated)
    throw refused('processImage', 'this browser can not write an image of this size', 'unsupported')
  const blurhash = small ? encodeBlurhash(small.data, small.width, small.height, settings.x, settings.y) : ''
  return { blob, type: reencoded ? blob.type : type, width, height, blurhash, animated, reencoded }
}

type Failure = (PixelAnswer & { failure: unknown })['failure']

function failureOf(failure: Failure, type: string, { maxPixels }: ImageSettings): StorageError {
  if (failure === 'too-large') return refused('processImage', `above maxPixels (${maxPixels})`, failure)
  if (failure === 'aborted') return refused('processImage', 'aborted', failure)
  if (failure === 'not-here') return refused('processImage', 'this browser gives no canvas', 'unsupported')
  if (WRITTEN_AS[type] && type !== 'image/avif') return refused('processImage', `this ${type} is damaged`)
  if (/^image/.test(type))
    return refused('processImage', `this browser can not decode this ${type}`, 'unsupported')
  return refused('processImage', 'this is no image')
}
