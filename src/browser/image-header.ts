/** What the first bytes of an image tell without decoding it. */
export interface ImageHeader {
  /** '' where they are of no kind that is known here. */
  type: string
  /** As stored, before any rotation; 0 where the format hides it too deep to be worth the code. */
  width: number
  height: number
  /** By EXIF. Of JPEG only: elsewhere browsers do not agree on it, so that a file is better left as it is. */
  turned: boolean
  animated: boolean
}

/** Before its size a JPEG may hold EXIF, profiles and previews, of at most 64 KiB a piece. */
const HEAD_BYTES = 512 * 1024

export async function readImageHeader(file: Blob): Promise<ImageHeader> {
  const header = { type: '', width: 0, height: 0, turned: false, animated: false }
  for (const bytes of [HEAD_BYTES, file.size]) {
    const view = new DataView(await file.slice(0, bytes).arrayBuffer())
    try {
      read(view, header)
    } catch {
      // Cut off: what was read so far counts.
    }
    // Whether a GIF moves is told by its second picture, wherever that begins.
    if (header.type !== 'image/gif') break
  }
  return header
}

/** @throws `RangeError` where the bytes end too early */
function read(view: DataView, header: ImageHeader): void {
  const byte = (at: number) => view.getUint8(at)
  const short = (at: number, little?: boolean) => view.getUint16(at, little)
  const long = (at: number, little?: boolean) => view.getUint32(at, little)
  const letters = (at: number) => String.fromCharCode(byte(at), byte(at + 1), byte(at + 2), byte(at + 3))

  /** ITU T.81, annex B: markers with lengths, up to the frame header. */
  function jpeg(): void {
    for (let at = 2; byte(at) === 0xff; at += 2 + short(at + 2)) {
      // Fill bytes may stand before a marker.
      while (byte(at + 1) === 0xff) at++
      const marker = byte(at + 1)
      if (marker === 0xe1 && letters(at + 4) === 'Exif') header.turned = isTurned(at + 10)
      // Tables have numbers among those of the frames.
      if (marker >> 4 === 0xc && ![0xc4, 0xc8, 0xcc].includes(marker)) {
        header.height = short(at + 5)
        header.width = short(at + 7)
        return
      }
    }
  }

  /** EXIF 2.32, 4.6.4: tag 0x0112 of the first directory, from 2 to 8. */
  function isTurned(tiff: number): boolean {
    const little = byte(tiff) === 0x49
    const directory = tiff + long(tiff + 4, little)
    for (let entry = short(directory, little); entry > 0; entry--) {
      const at = directory + entry * 12 - 10
      const value = short(at + 8, little)
      if (short(at, little) === 0x0112) return value > 1 && value < 9
    }
    return false
  }

  /** An animation's `acTL` stands before the first `IDAT` (PNG, third edition, 11.3.6). */
  function png(): void {
    header.width = long(16)
    header.height = long(20)
    for (let at = 8; letters(at + 4) !== 'IDAT'; at += 12 + long(at))
      if (letters(at + 4) === 'acTL') header.animated = true
  }

  /** GIF89a: blocks, up to the second picture. */
  function gif(): void {
    header.width = short(6, true)
    header.height = short(8, true)
    const tableBytes = (at: number) => (byte(at) & 128 ? 6 << (byte(at) & 7) : 0)
    for (let at = 13 + tableBytes(10), pictures = 0; pictures < 2; ) {
      if (byte(at) === 0x2c) {
        header.animated = ++pictures > 1
        at += 11 + tableBytes(at + 9)
      } else if (byte(at) === 0x21) at += 2
      else return
      // Data in pieces, each with its length; an empty one is the last.
      for (let length = 1; length > 0; at += length + 1) length = byte(at)
    }
  }

  /** RFC 9649: the extended form alone says whether it moves, and its size where it is cheap to read. */
  function webp(): void {
    if (letters(12) !== 'VP8X') return
    header.animated = (byte(20) & 2) > 0
    header.width = 1 + (long(23, true) >>> 8)
    header.height = 1 + (long(26, true) >>> 8)
  }

  const formats = [
    [/^\xff\xd8/, 'jpeg', jpeg],
    [/^.PNG/, 'png', png],
    [/^GIF/, 'gif', gif],
    [/WEBP$/, 'webp', webp],
    // ISO 14496-12: the major brand. HEIC has many, and browsers that decode it give it a type.
    [/ftypavi.$/, 'avif', () => {}],
  ] as const
  const start = letters(0) + letters(4) + letters(8)
  // Of AVIF; others tell it deeper inside.
  header.animated = start.endsWith('avis')
  for (const [begins, type, scan] of formats)
    if (begins.test(start)) {
      header.type = `image/${type}`
      scan()
    }
}
