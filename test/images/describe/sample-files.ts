import sharp from 'sharp'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'

/** Noise, so that no format packs it into a few bytes. */
export function noise(bytes: number, seed = 1): Buffer {
  const random = seededRandom(seed)
  return Buffer.from(Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)))
}

/** A photograph of nothing: a gradient across and down, four different corners, so that a turn shows. */
export function picture(width: number, height: number, channels: 3 | 4 = 3) {
  const pixels = Buffer.alloc(width * height * channels)
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += channels) {
      pixels[at] = Math.round((255 * x) / Math.max(1, width - 1))
      pixels[at + 1] = Math.round((255 * y) / Math.max(1, height - 1))
      pixels[at + 2] = x < width / 4 && y < height / 4 ? 255 : 40
      if (channels === 4) pixels[at + 3] = x % 2 ? 255 : 90
    }
  return sharp(pixels, { raw: { width, height, channels } })
}

/** An animation of `count` frames of noise. */
export async function animation(format: 'gif' | 'webp', count = 3): Promise<Buffer> {
  const frames = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      sharp(noise(40 * 30 * 3, index + 1), { raw: { width: 40, height: 30, channels: 3 } })
        .png()
        .toBuffer(),
    ),
  )
  return sharp(frames, { join: { animated: true } })
    .toFormat(format)
    .toBuffer()
}

/** One small file of every kind that is described. */
export async function everyKind(): Promise<Record<string, Buffer>> {
  const formats = ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const
  const plain = await Promise.all(
    formats.map(async format => [format, await picture(120, 80).toFormat(format).toBuffer()] as const),
  )
  return {
    ...Object.fromEntries(plain),
    'progressive jpeg': await picture(120, 80).jpeg({ progressive: true }).toBuffer(),
    'jpeg with orientation': await picture(120, 80).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'interlaced png': await picture(120, 80, 4).png({ progressive: true }).toBuffer(),
    'animated gif': await animation('gif'),
    'animated webp': await animation('webp'),
    svg: Buffer.from(svg('<rect width="60" height="80" fill="red"/>')),
  }
}

export function svg(content: string, size = 'width="120" height="80"'): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${content}</svg>`
}
