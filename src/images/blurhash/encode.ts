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

/** Components across that are summed side by side, in variables of their own: an array would be read and written instead. */
const AT_ONCE = 4

/** Red, green, blue of each component: a row's sums across are taken once and serve all components down. */
function separableSums(
  { data: pixels, width, height }: HashableImage,
  componentsX: number,
  componentsY: number,
): Float64Array {
  // Room for whole groups; what is too much is summed and left.
  const stride = Math.ceil(componentsX / AT_ONCE) * AT_ONCE
  const across = knownCosines(width, stride)
  const down = knownCosines(height, componentsY)
  const light = lightOfChannels()
  const sums = new Float64Array(stride * componentsY * 3)
  const ofRow = new Float64Array(AT_ONCE * 3)
  for (let y = 0, row = 0; y < height; y++, row += width * 4)
    for (let group = 0; group < stride; group += AT_ONCE) {
      let r0 = 0
      let g0 = 0
      let b0 = 0
      let r1 = 0
      let g1 = 0
      let b1 = 0
      let r2 = 0
      let g2 = 0
      let b2 = 0
      let r3 = 0
      let g3 = 0
      let b3 = 0
      for (let x = 0, at = row, table = group; x < width; x++, at += 4, table += stride) {
        const red = light[pixels[at]!]!
        const green = light[pixels[at + 1]!]!
        const blue = light[pixels[at + 2]!]!
        const w0 = across[table]!
        const w1 = across[table + 1]!
        const w2 = across[table + 2]!
        const w3 = across[table + 3]!
        r0 += w0 * red
        g0 += w0 * green
        b0 += w0 * blue
        r1 += w1 * red
        g1 += w1 * green
        b1 += w1 * blue
        r2 += w2 * red
        g2 += w2 * green
        b2 += w2 * blue
        r3 += w3 * red
        g3 += w3 * green
        b3 += w3 * blue
      }
      ofRow[0] = r0
      ofRow[1] = g0
      ofRow[2] = b0
      ofRow[3] = r1
      ofRow[4] = g1
      ofRow[5] = b1
      ofRow[6] = r2
      ofRow[7] = g2
      ofRow[8] = b2
      ofRow[9] = r3
      ofRow[10] = g3
      ofRow[11] = b3
      for (let j = 0, to = group * 3; j < componentsY; j++, to += stride * 3) {
        const weight = down[y * componentsY + j]!
        for (let k = 0; k < ofRow.length; k++) sums[to + k]! += weight * ofRow[k]!
      }
    }
  return scaledFactors(sums, { stride, componentsX, componentsY, pixels: width * height })
}

function scaledFactors(
  sums: Float64Array,
  size: { stride: number; componentsX: number; componentsY: number; pixels: number },
): Float64Array {
  const { stride, componentsX, componentsY, pixels } = size
  const factors = new Float64Array(componentsX * componentsY * 3)
  const scale = 1 / pixels
  for (let j = 0, at = 0; j < componentsY; j++)
    for (let from = j * stride * 3, end = from + componentsX * 3; from < end; from++, at++)
      factors[at] = sums[from]! * (at < 3 ? scale : 2 * scale)
  return factors
}

const MOST_TABLES = 64
const tables = new Map<number, Float64Array>()

/** Images come scaled to the same few sizes, and cosines take a third of the time of a small one. */
function knownCosines(length: number, components: number): Float64Array {
  const name = length * 100 + components
  const known = tables.get(name)
  if (known !== undefined) return known
  const made = cosines(length, components)
  // A long side is no size that comes again, and costs memory.
  if (length > 128) return made
  if (tables.size === MOST_TABLES) tables.clear()
  tables.set(name, made)
  return made
}

function refused(problem: string): StorageError {
  return new StorageError('invalid-argument', `encodeBlurhash: ${problem}`, { operation: 'encodeBlurhash' })
}
