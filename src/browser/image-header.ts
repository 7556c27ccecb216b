/** What the first bytes of an image tell without decoding it. */
export interface ImageHeader {
  /** '' where they are of no kind that is known here. */
  readonly type: string
  /** As stored, before any rotation; 0 where the format hides it too deep to be worth the code. */
  readonly width: number
  readonly height: number
  /**
   * EXIF's, 2 to 8, or 1. Of JPEG only: elsewhere browsers do not agree on it, so that a file is better left as it is.
   */
  readonly orientation: number
  readonly animated: boolean
}

/** Before its size a JPEG may hold EXIF, profiles and previews, of at most 64 KiB a piece. */
const HEAD_BYTES = 512 * 1024

export async function readImageHeader(file: Blob): Promise<ImageHeader> {
  const bytes = async (to: number) => new DataView(await file.slice(0, to).arrayBuffer())
  let view = await bytes(HEAD_BYTES)
  // Whether a GIF moves is told by its second picture, wherever that begins.
  if (text(view, 0, 3) === 'GIF') view = await bytes(file.size)
  const header = { type: '', width: 0, height: 0, orientation: 1, animated: false }
  try {
    read(view, header)
  } catch (error) {
    // Cut off: what was read so far counts.
    if (!(error instanceof RangeError)) throw error
  }
  return header
}

type Draft = { -readonly [Name in keyof ImageHeader]: ImageHeader[Name] }

function read(view: DataView, header: Draft): void {
  if (view.getUint16(0) === 0xffd8) jpeg(view, header)
  else if (text(view, 1, 4) === 'PNG') png(view, header)
  else if (text(view, 0, 3) === 'GIF') gif(view, header)
  else if (text(view, 8, 12) === 'WEBP') webp(view, header)
  // ISO 14496-12: the major brand. HEIC has many, and browsers that decode it give it a type.
  else if (text(view, 4, 11) === 'ftypavi')
    Object.assign(header, { type: 'image/avif', animated: text(view, 11, 12) === 's' })
}

/** ITU T.81, annex B: markers with lengths, up to the frame header. */
function jpeg(view: DataView, header: Draft): void {
  header.type = 'image/jpeg'
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    // Fill bytes may stand before a marker.
    while (view.getUint16(at) === 0xffff) at++
    const marker = view.getUint8(at + 1)
    if (marker === 0xe1 && text(view, at + 4, at + 8) === 'Exif')
      header.orientation = orientationOf(view, at + 10)
    if ((marker >= 0xc0 && marker < 0xd0 && marker % 4 > 0) || marker === 0xc0) {
      header.height = view.getUint16(at + 5)
      header.width = view.getUint16(at + 7)
      return
    }
    // Pixels, or no marker.
    if (marker === 0xda || view.getUint8(at) !== 0xff) return
  }
}

/** EXIF 2.32, 4.6.4: tag 0x0112 of the first directory. */
function orientationOf(view: DataView, tiff: number): number {
  const little = text(view, tiff, tiff + 1) === 'I'
  let at = tiff + view.getUint32(tiff + 4, little)
  for (let left = view.getUint16(at, little); left > 0; left--, at += 12) {
    if (view.getUint16(at + 2, little) !== 0x0112) continue
    const value = view.getUint16(at + 10, little)
    return value < 9 && value > 0 ? value : 1
  }
  return 1
}

/** An animation's `acTL` stands before the first `IDAT` (PNG, third edition, 11.3.6). */
function png(view: DataView, header: Draft): void {
  Object.assign(header, { type: 'image/png', width: view.getUint32(16), height: view.getUint32(20) })
  for (let at = 8, chunk = ''; chunk !== 'IDAT'; at += 12 + view.getUint32(at)) {
    chunk = text(view, at + 4, at + 8)
    if (chunk === 'acTL') header.animated = true
  }
}

/** GIF89a: blocks, up to the second picture. */
function gif(view: DataView, header: Draft): void {
  Object.assign(header, {
    type: 'image/gif',
    width: view.getUint16(6, true),
    height: view.getUint16(8, true),
  })
  const tableBytes = (flags: number) => (flags & 128 ? 6 << (flags & 7) : 0)
  let at = 13 + tableBytes(view.getUint8(10))
  for (let pictures = 0; pictures < 2; ) {
    const block = view.getUint8(at)
    if (block === 0x2c) {
      header.animated = ++pictures > 1
      at += 11 + tableBytes(view.getUint8(at + 9))
    } else if (block === 0x21) at += 2
    else return
    // Data in pieces, each with its length; an empty one is the last.
    for (let length = 1; length > 0; at += length + 1) length = view.getUint8(at)
  }
}

/** RFC 9649: the extended form alone says whether it moves, and its size where it is cheap to read. */
function webp(view: DataView, header: Draft): void {
  header.type = 'image/webp'
  if (text(view, 12, 16) !== 'VP8X') return
  header.animated = (view.getUint8(20) & 2) > 0
  header.width = 1 + (view.getUint32(23, true) >>> 8)
  header.height = 1 + (view.getUint32(26, true) >>> 8)
}

function text(view: DataView, from: number, to: number): string {
  let letters = ''
  for (let at = from; at < to && at < view.byteLength; at++) letters += String.fromCharCode(view.getUint8(at))
  return letters
}
