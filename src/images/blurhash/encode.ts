import { StorageError } from '../../core/errors.ts'
import { toBase83 } from './base83.ts'
import { lightOfChannels, signedPower, toChannel } from './colour.ts'
import { cosines } from './cosines.ts'

/**
 * The blurhash of pixels: about 20 characters that a page turns into a blurred preview. The same bytes as npm
 * `blurhash`, for every image: alpha is ignored, and the maximum is taken without the absolute value.
 *
 * Scale the image down first, to 32×32 or so: more pixels cost time and do not change what is seen.
 *
 * @param pixels RGBA, four bytes a pixel, row by row, as `ImageData` has them
 * @param componentsX details across, 1 to 9
 * @param componentsY details down, 1 to 9
 * @throws `invalid-argument` where the pixels are not `width` × `height` × 4 bytes, or for other counts of components
 *
 * @example
 * ```ts
 * const { data, width, height } = context.getImageData(0, 0, 32, 32)
 * const hash = encodeBlurhash(data, width, height, 4, 4)
 * ```
 */
export function encodeBlurhash(
  pixels: Uint8ClampedArray | Uint8Array,
  width: number,
  height: number,
  componentsX: number,
  componentsY: number,
): string {
  for (const count of [componentsX, componentsY])
    if (!(Number.isInteger(count) && count >= 1 && count <= 9))
      throw refused(`components must be whole numbers from 1 to 9, not ${componentsX} and ${componentsY}`)
  if (!(Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1))
    throw refused(`an image of ${width}×${height} has no pixels`)
  if (pixels.length !== width * height * 4)
    throw refused(`${width}×${height} pixels of RGBA are ${width * height * 4} bytes, not ${pixels.length}`)
  const image = { pixels, width, height, light: lightOfChannels(), componentsX, componentsY }
  return hashOf(separableSums(image), image, true) ?? hashOf(orderedSums(image), image, false)!
}

interface Image {
  pixels: Uint8ClampedArray | Uint8Array
  width: number
  height: number
  /** Of each channel's 256 values. */
  light: Float64Array
  componentsX: number
  componentsY: number
}

/** Red, green, blue of each component: a row's sums across are taken once and serve all components down. */
function separableSums({ pixels, width, height, light, componentsX, componentsY }: Image): Float64Array {
  const across = cosines(width, componentsX)
  const down = cosines(height, componentsY)
  const factors = new Float64Array(componentsX * componentsY * 3)
  const row = new Float64Array(width * 3)
  for (let y = 0, at = 0; y < height; y++) {
    let red = 0
    let green = 0
    let blue = 0
    for (let to = 0; to < row.length; to += 3, at += 4) {
      red += row[to] = light[pixels[at]!]!
      green += row[to + 1] = light[pixels[at + 1]!]!
      blue += row[to + 2] = light[pixels[at + 2]!]!
    }
    // The first component across is the plain sum; each other one weighs the row by its cosines.
    for (let i = 0; ; ) {
      for (let j = 0, to = i * 3; j < componentsY; j++, to += componentsX * 3) {
        const weight = down[y * componentsY + j]!
        factors[to]! += weight * red
        factors[to + 1]! += weight * green
        factors[to + 2]! += weight * blue
      }
      if (++i === componentsX) break
      red = green = blue = 0
      for (let from = 0, table = i; from < row.length; from += 3, table += componentsX) {
        const weight = across[table]!
        red += weight * row[from]!
        green += weight * row[from + 1]!
        blue += weight * row[from + 2]!
      }
    }
  }
  const scale = 1 / (width * height)
  for (let i = 0; i < factors.length; i++) factors[i]! *= i < 3 ? scale : 2 * scale
  return factors
}

/**
 * The same sums in the order of npm `blurhash`, so that they differ in no bit. Twenty times slower, and only for the
 * few images, such as stripes of one pixel, where the last bit decides which way a value is rounded.
 */
function orderedSums({ pixels, width, height, light, componentsX, componentsY }: Image): Float64Array {
  const across = cosines(width, componentsX)
  const down = cosines(height, componentsY)
  const factors = new Float64Array(componentsX * componentsY * 3)
  const scale = 1 / (width * height)
  for (let component = 0; component < componentsX * componentsY; component++) {
    const i = component % componentsX
    const j = Math.floor(component / componentsX)
    const sums = [0, 0, 0]
    for (let x = 0; x < width; x++)
      for (let y = 0; y < height; y++) {
        const weight = (component ? 2 : 1) * across[x * componentsX + i]! * down[y * componentsY + j]!
        for (let channel = 0; channel < 3; channel++)
          sums[channel]! += weight * light[pixels[(y * width + x) * 4 + channel]!]!
      }
    for (let channel = 0; channel < 3; channel++) factors[component * 3 + channel] = sums[channel]! * scale
  }
  return factors
}

/** `undefined` where a value is so near to its neighbour's range that another order of summing may round otherwise. */
function hashOf(factors: Float64Array, image: Image, refuseTies: boolean): string | undefined {
  let tied = false
  const floor = (value: number, most: number) => {
    tied ||= Math.abs(value - Math.round(value)) < 1e-6
    return Math.max(0, Math.min(most, Math.floor(value)))
  }
  const triple = (base: number, at: number, step: (factor: number) => number) =>
    (step(factors[at]!) * base + step(factors[at + 1]!)) * base + step(factors[at + 2]!)

  let hash = toBase83(image.componentsX - 1 + (image.componentsY - 1) * 9, 1)
  const details = factors.subarray(3)
  const largest = details.length > 0 ? floor(Math.max(...details) * 166 - 0.5, 82) : 0
  hash += toBase83(largest, 1)
  const maximum = (largest + 1) / 166
  hash += toBase83(
    triple(256, 0, light => floor(toChannel(light), 255)),
    4,
  )
  const step = (factor: number) => floor(signedPower(factor / maximum, 0.5) * 9 + 9.5, 18)
  for (let at = 3; at < factors.length; at += 3) hash += toBase83(triple(19, at, step), 2)
  return tied && refuseTies ? undefined : hash
}

function refused(problem: string): StorageError {
  return new StorageError('invalid-argument', `encodeBlurhash: ${problem}`, { operation: 'encodeBlurhash' })
}
