/** Images whose every corner can be told: made here, so that no fixture has to be believed. */
import sharp, { type Sharp } from 'sharp'

const RED = [220, 30, 30]
const GREEN = [30, 200, 60]
const BLUE = [30, 60, 220]
const WHITE = [240, 240, 240]

/** The corners of `corners()` as they are seen: upper left, upper right, lower left, lower right. */
export const CORNERS = ['red', 'green', 'blue', 'white']

/** Four fields of 80×60 pixels each. */
export function corners(width = 160, height = 120): Sharp {
  const pixels = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const upper = y < height / 2
      const color = x < width / 2 ? (upper ? RED : BLUE) : upper ? GREEN : WHITE
      pixels.set(color, (y * width + x) * 3)
    }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

/** How the pixels lie in the file so that EXIF's orientation turns them upright (EXIF 2.32, 4.6.4, tag 0x0112). */
const STORED: Record<number, (image: Sharp) => Sharp> = {
  1: image => image,
  2: image => image.flop(),
  3: image => image.rotate(180),
  4: image => image.flip(),
  5: image => image.rotate(90).flip(),
  6: image => image.rotate(270),
  7: image => image.rotate(90).flop(),
  8: image => image.rotate(90),
}

/** A JPEG that is seen as `corners()`, whichever way it is stored. */
export async function exifPhoto(orientation: number, width = 160, height = 120): Promise<Uint8Array> {
  const upright = await corners(width, height).png().toBuffer()
  // In two steps: sharp has an order of its own for what is asked at once.
  const stored = await STORED[orientation]!(sharp(upright)).png().toBuffer()
  return sharp(stored).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer()
}

/** The corners as stored: no EXIF is looked at. */
export async function cornersOf(image: Uint8Array): Promise<string[]> {
  const { data, info } = await sharp(image).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const at = (x: number, y: number) => {
    const from = (Math.floor(y * height) * width + Math.floor(x * width)) * channels
    const [red, green, blue] = [data[from]!, data[from + 1]!, data[from + 2]!]
    if (Math.min(red, green, blue) > 180) return 'white'
    return red > green && red > blue ? 'red' : green > blue ? 'green' : 'blue'
  }
  return [at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.75), at(0.75, 0.75)]
}

/** Two frames that differ. */
export async function animation(format: 'gif' | 'webp'): Promise<Uint8Array> {
  const frame = (background: string) =>
    sharp({ create: { width: 20, height: 10, channels: 3, background } })
      .png()
      .toBuffer()
  const frames = await Promise.all(['red', 'blue'].map(frame))
  return sharp(frames, { join: { animated: true } })
    [format]({ delay: [100, 100], loop: 0 })
    .toBuffer()
}
