import { encode } from 'blurhash'
import { describe, expect, it } from 'vitest'
import { hashInOrder } from '../../../src/images/blurhash/hash-in-order.ts'
import { encodeBlurhash } from '../../../src/images/index.ts'
import { refused } from '../../support/refused.ts'
import { sampleImages } from './sample-images.ts'

const COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 9]

describe('encodeBlurhash', () => {
  it('gives the bytes of npm blurhash for 600 images of many kinds and sizes', () => {
    for (const [index, { name, pixels, width, height }] of sampleImages(600).entries()) {
      const x = index % 2 ? 4 : COUNTS[index % 9]!
      const y = index % 2 ? 4 : COUNTS[(index * 7) % 9]!
      expect(encodeBlurhash(pixels, width, height, x, y), name).toBe(encode(pixels, width, height, x, y))
    }
  })

  it('gives the bytes of npm blurhash for all 81 counts of components', () => {
    const images = sampleImages(6, 7)
    for (const x of COUNTS)
      for (const y of COUNTS)
        for (const { name, pixels, width, height } of images)
          expect(encodeBlurhash(pixels, width, height, x, y), `${name}, ${x} by ${y}`).toBe(
            encode(pixels, width, height, x, y),
          )
  })

  it('gives the same by the short way that pages take', () => {
    for (const [index, { name, pixels, width, height }] of sampleImages(60, 3).entries()) {
      const [x, y] = [COUNTS[index % 9]!, COUNTS[(index * 7) % 9]!]
      expect(hashInOrder({ data: pixels, width, height }, x, y), name).toBe(
        encodeBlurhash(pixels, width, height, x, y),
      )
    }
  })

  it.each([
    [8, 8],
    [16, 8],
    [32, 8],
    [8, 32],
    [3, 6],
    [6, 6],
  ])(
    'rounds stripes of one pixel as npm blurhash does, where the last bit decides: %i×%i',
    (width, height) => {
      const pixels = new Uint8ClampedArray(width * height * 4)
      for (const along of ['x', 'y'])
        for (const start of [0, 1]) {
          for (let at = 0; at < pixels.length; at++) {
            const pixel = at >> 2
            const step = along === 'x' ? pixel % width : Math.floor(pixel / width)
            pixels[at] = (step + start) % 2 ? 255 : 0
          }
          for (const [x, y] of [
            [4, 4],
            [9, 9],
            [4, 3],
          ] as const)
            expect(encodeBlurhash(pixels, width, height, x, y)).toBe(encode(pixels, width, height, x, y))
        }
    },
  )

  it('takes the maximum without the absolute value, as stored hashes have it', () => {
    // White in the middle: the strongest component is negative.
    const pixels = new Uint8ClampedArray(32 * 32 * 4)
    for (let x = 8; x < 24; x++)
      for (let y = 0; y < 32; y++) pixels.fill(255, (y * 32 + x) * 4, (y * 32 + x + 1) * 4)
    const hash = encodeBlurhash(pixels, 32, 32, 3, 1)
    expect(hash).toBe(encode(pixels, 32, 32, 3, 1))
    expect(hash.charAt(1)).not.toBe('~')
  })

  it('ignores alpha', () => {
    const [{ pixels, width, height }] = sampleImages(1) as [ReturnType<typeof sampleImages>[number]]
    const clear = pixels.map((value, at) => (at % 4 === 3 ? 0 : value))
    expect(encodeBlurhash(clear, width, height, 4, 4)).toBe(encodeBlurhash(pixels, width, height, 4, 4))
  })

  it('takes bytes of any array of them', () => {
    const pixels = Uint8Array.from(sampleImages(1)[0]!.pixels)
    const { width, height } = sampleImages(1)[0]!
    expect(encodeBlurhash(pixels, width, height, 4, 4)).toHaveLength(36)
  })

  it.each([
    ['no component', 2, 2, 0, 4],
    ['ten components', 2, 2, 4, 10],
    ['half a component', 2, 2, 1.5, 1],
    ['a size that is not that of the pixels', 3, 2, 4, 4],
    ['no width', 0, 2, 4, 4],
    ['half a pixel', 0.5, 8, 4, 4],
  ])('refuses %s', (_, width, height, x, y) => {
    expect(() => encodeBlurhash(new Uint8ClampedArray(16), width, height, x, y)).toThrow(
      refused(/^encodeBlurhash: /),
    )
  })
})
