import { readFile } from 'node:fs/promises'
import type { Metadata, Sharp } from 'sharp'
import { loadPeer } from '../../core/peer.ts'
import { encodeBlurhash } from '../blurhash/index.ts'
import type { ImageDescription } from '../image-description.ts'
import type { DescribeSettings } from './describe-options.ts'
import { failureOfSharp, imageFailure } from './image-failure.ts'
import type { ImageFile } from './image-file.ts'

/** Pixels along the longer side of what a blurhash is made of: it holds less detail than that. */
const SAMPLE = 32

/**
 * Describes a file that has been recognized. The head is read before the pixels: what is above a limit is never decoded.
 *
 * @throws `too-large`, `timeout`, `invalid-argument`
 */
export async function decodeImage(
  file: ImageFile,
  type: string,
  settings: DescribeSettings,
): Promise<ImageDescription> {
  const { default: sharp } = await loadPeer(() => import('sharp'), 'describe', 'sharp')
  let decoder: Sharp
  let head: Metadata
  try {
    decoder = sharp(await readable(file, type), {
      // Warnings are about what browsers show all the same, as stray bytes between the parts of a JPEG.
      failOn: 'error',
      limitInputPixels: settings.maxPixels,
      sequentialRead: true,
    })
    head = await decoder.metadata()
  } catch (error) {
    throw failureOfSharp(error, type)
  }
  const { width = 0, height = 0, pages = 1 } = head
  if (!(width > 0 && height > 0)) throw imageFailure('invalid-argument', 'the image has no size')
  if (pages > settings.maxFrames)
    throw imageFailure('too-large', `the image has ${pages} frames, above maxFrames, ${settings.maxFrames}`)
  // sharp 0.33 does not tell the seen size. Orientations from 5 on lie on their side (Exif 2.3, tag 0x0112).
  const lies = (head.orientation ?? 1) >= 5
  const blurhash = await blurhashOf(decoder, settings, type)
  return {
    type,
    width: lies ? height : width,
    height: lies ? width : height,
    animated: pages > 1 && (type === 'image/gif' || type === 'image/webp'),
    alpha: head.hasAlpha ?? false,
    ...(blurhash === undefined ? {} : { blurhash }),
  }
}

/**
 * sharp's cache keeps files of these kinds open, and their place on the disk with them, after they were removed. It maps
 * them into memory as a whole, too. SVG that comes as bytes has no folder that it could refer to other files in.
 */
async function readable({ bytes, path }: ImageFile, type: string): Promise<Uint8Array | string> {
  const kept = ['image/gif', 'image/webp', 'image/svg+xml'].includes(type)
  return bytes ?? (kept ? readFile(path!) : path!)
}

/** `undefined` where the pixels can't be decoded. Only time is an error: the same file may have enough of it later. */
async function blurhashOf(
  decoder: Sharp,
  { components, flatten, timeoutMs }: DescribeSettings,
  type: string,
): Promise<string | undefined> {
  try {
    // Without arguments it turns the image as its file asks for, in every version.
    let sample = decoder.rotate().resize(SAMPLE, SAMPLE, { fit: 'inside' })
    if (flatten !== undefined) sample = sample.flatten({ background: flatten })
    const { data, info } = await sample
      .ensureAlpha()
      .raw()
      // Whole seconds are all that it takes; the caller's deadline is kept outside.
      .timeout({ seconds: Math.min(3600, Math.ceil(timeoutMs / 1000)) })
      .toBuffer({ resolveWithObject: true })
    return encodeBlurhash(rgba(data, info.channels), info.width, info.height, components.x, components.y)
  } catch (error) {
    const failure = failureOfSharp(error, type)
    if (failure.code === 'timeout') throw failure
    return undefined
  }
}

/** Pixels of grey, with or without alpha, as those of a colour image. */
function rgba(pixels: Uint8Array, channels: number): Uint8Array {
  if (channels === 4) return pixels
  const count = pixels.length / channels
  const wide = new Uint8Array(count * 4).fill(255)
  for (let i = 0; i < count; i++)
    for (let channel = 0; channel < 3; channel++)
      wide[i * 4 + channel] = pixels[i * channels + (channels < 3 ? 0 : channel)]!
  return wide
}
