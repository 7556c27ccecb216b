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
