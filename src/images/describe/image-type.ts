import { typeOfBytes } from '../../core/content-type.ts'

/** What sharp is given at all: a build of it with more decoders would try them on whatever it meets. */
const DESCRIBED = new Set([
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/heic',
  'image/heif',
  'image/tiff',
  'image/svg+xml',
])

/** The media type of a file that begins with `first`, where it is an image of a kind that is described. */
export async function imageType(first: Uint8Array): Promise<string | undefined> {
  const type = isoImage(first) ?? (await typeOfBytes(first))
  return DESCRIBED.has(type) ? type : undefined
}

/** AVIF and HEIF are one container (ISO/IEC 23008-12); the brand, and those it is compatible with, tell them apart. */
function isoImage(first: Uint8Array): string | undefined {
  const text = Buffer.from(first.buffer, first.byteOffset, Math.min(first.length, 64)).toString('latin1')
  if (text.slice(4, 8) !== 'ftyp') return undefined
  const size = Buffer.from(text.slice(0, 4), 'latin1').readUInt32BE()
  const brands: string[] = text.slice(8, size).match(/.{4}/gs) ?? []
  if (brands.some(brand => brand === 'avif' || brand === 'avis')) return 'image/avif'
  if (brands.some(brand => /^hei[cxms]$|^hev[cx]$/.test(brand))) return 'image/heic'
  return brands.includes('mif1') ? 'image/heif' : undefined
}

/**
 * Whether a PNG is animated: a chunk says so before its pixels. sharp reads its first frame and does not tell.
 *
 * @param first as much of the file as is at hand
 */
export function isAnimatedPng(first: Uint8Array): boolean {
  const bytes = Buffer.from(first.buffer, first.byteOffset, first.length)
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const name = bytes.toString('latin1', at + 4, at + 8)
    if (name === 'acTL') return true
    if (name === 'IDAT') return false
  }
  return false
}
