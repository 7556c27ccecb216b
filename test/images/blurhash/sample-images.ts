import { seededRandom } from '../../../src/decorators/seeded-random.ts'

export interface SampleImage {
  readonly name: string
  readonly pixels: Uint8ClampedArray
  readonly width: number
  readonly height: number
}

const SIZES = [1, 2, 3, 5, 8, 13, 16, 24, 32]

/** Noise, flat colours, gradients and stripes, among them those where the last bit decides how a value is rounded. */
export function sampleImages(count: number, seed = 1): SampleImage[] {
  const random = seededRandom(seed)
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!
  const byte = () => Math.floor(random() * 256)
  const kinds = ['noise', 'flat', 'gradient', 'stripes', 'checks', 'dot'] as const
  return Array.from({ length: count }, (_, index) => {
    const kind = kinds[index % kinds.length]!
    const width = pick(SIZES)
    const height = pick(SIZES)
    const [one, other] = kind === 'stripes' || kind === 'checks' ? [0, 255] : [byte(), byte()]
    const period = pick([1, 2, 3, 4])
    const place = Math.floor(random() * width * height)
    const value = (x: number, y: number, channel: number): number => {
      if (kind === 'noise') return byte()
      if (kind === 'flat') return (one + channel * 40) % 256
      if (kind === 'gradient') return (one + x * period + y * channel) % 256
      if (kind === 'dot') return y * width + x === place ? 255 : 0
      const step = kind === 'stripes' ? (period % 2 ? x : y) : x + y
      return Math.floor(step / period) % 2 ? one : other
    }
    const pixels = new Uint8ClampedArray(width * height * 4)
    for (let at = 0; at < pixels.length; at++) {
      const pixel = Math.floor(at / 4)
      pixels[at] = at % 4 === 3 ? byte() : value(pixel % width, Math.floor(pixel / width), at % 4)
    }
    return { name: `${kind} ${width}×${height}, number ${index}`, pixels, width, height }
  })
}
