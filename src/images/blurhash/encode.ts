import { StorageError } from '../../core/errors.ts'
import { lightOfChannels } from './colour.ts'
import { cosines } from './cosines.ts'
import { type HashableImage, hashInOrder, hashOf } from './hash-in-order.ts'

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
  const image = { data: pixels, width, height }
  // So near to its neighbour's range another order of summing may round a value otherwise, as with stripes of one pixel.
  let tied = false
  const floor = (value: number) => {
    tied ||= Math.abs(value - Math.round(value)) < 1e-6
    return Math.floor(value)
  }
  const hash = hashOf(separableSums(image, componentsX, componentsY), componentsX, componentsY, floor)
  return tied ? hashInOrder(image, componentsX, componentsY) : hash
}

/** Red, green, blue of each component: a row's sums across are taken once and serve all components down. */
function separableSums(
  { data: pixels, width, height }: HashableImage,
  componentsX: number,
  componentsY: number,
): Float64Array {
  const across = cosines(width, componentsX)
  const down = cosines(height, componentsY)
  const light = lightOfChannels()
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

function refused(problem: string): StorageError {
  return new StorageError('invalid-argument', `encodeBlurhash: ${problem}`, { operation: 'encodeBlurhash' })
}
