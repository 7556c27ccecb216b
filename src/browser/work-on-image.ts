import { type ErrorCode, type PlainError, plainError } from '../core/plain-error.ts'
import { hashInOrder } from '../images/blurhash/hash-in-order.ts'
import { readImageHeader } from './image-header.ts'
import { type ImageSettings, type ProcessedImage, WRITABLE } from './image-options.ts'
import type { PixelWork } from './pixel-work.ts'

/** One image, with `work` for its pixels; that happens in a worker or here. */
export async function workOnImage(
  file: Blob,
  settings: ImageSettings,
  work: PixelWork,
): Promise<ProcessedImage> {
  const { maxPixels, reencode, x, y } = settings
  const header = await readImageHeader(file).catch(() => {
    throw plainError('processImage', 'the file can not be read', 'unavailable')
  })
  const { animated } = header
  const type = header.type || file.type
  if (header.width * header.height > maxPixels) throw failureOf('too-large', type)
  const asked = settings.type ?? type
  const answer = await work(file, {
    ...settings,
    // Shrunk or written anew it would lose its frames.
    ...(animated && { maxWidth: Infinity, maxHeight: Infinity }),
    type: WRITABLE.test(asked) ? asked : undefined,
    must: !animated && reencode !== 'never' && (reencode === 'always' || header.turned || asked !== type),
  })
  if (answer.failure) throw failureOf(answer.failure, type)
  const { width, height, small, blob = file } = answer
  const reencoded = blob !== file
  if (reencode === 'always' && !reencoded && !animated)
    throw plainError('processImage', 'this browser can not write it', 'unsupported')
  const blurhash = small ? hashInOrder(small, x, y) : ''
  return { blob, type: reencoded ? blob.type : type, width, height, blurhash, animated, reencoded }
}

function failureOf(code: ErrorCode, type: string): PlainError {
  if (code === 'too-large') return plainError('processImage', 'above maxPixels', code)
  if (code === 'unsupported') return plainError('processImage', 'this browser has no canvas', code)
  if (WRITABLE.test(type)) return plainError('processImage', `this ${type} is damaged`)
  if (/^image/.test(type))
    return plainError('processImage', `this browser can not decode ${type}`, 'unsupported')
  return plainError('processImage', 'this is no image')
}
