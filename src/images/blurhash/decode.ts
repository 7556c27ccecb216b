import { StorageError } from '../../core/errors.ts'
import { fromBase83 } from './base83.ts'
import { signedPower, toChannel, toLight } from './colour.ts'
import { cosines } from './cosines.ts'
import { componentsOf, isBlurhash } from './is-blurhash.ts'

/** More would block a page for seconds; 32×32, scaled up by whoever draws it, is enough for a preview. */
const MAX_PIXELS = 4096 * 4096

/**
 * The pixels of a blurhash, as npm `blurhash` decodes them: RGBA, opaque, ready for `new ImageData(pixels, width)`.
 *
 * @param punch contrast; 1 is as it was, larger than 1 is stronger. npm `blurhash` takes odd whole numbers only
 *   and makes others odd; here every positive number counts
 * @throws `invalid-argument` for a text that is no blurhash, or a size that is not whole, not positive, or above
 *   16,777,216 pixels
 *
 * @example
 * ```ts
 * context.putImageData(new ImageData(decodeBlurhash(hash, 32, 32), 32), 0, 0)
 * ```
 */
export function decodeBlurhash(
  hash: string,
  width: number,
  height: number,
  punch = 1,
): Uint8ClampedArray<ArrayBuffer> {
  if (!isBlurhash(hash)) throw refused('the text is no blurhash; isBlurhash(text) tells before')
  if (!(Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1))
    throw refused(`width and height must be whole numbers from 1, not ${width} and ${height}`)
  if (width * height > MAX_PIXELS) throw refused(`${width}×${height} is above ${MAX_PIXELS} pixels`)
  if (!(punch > 0 && punch < Number.POSITIVE_INFINITY)) throw refused(`punch must be positive, not ${punch}`)

  const { x: componentsX, y: componentsY } = componentsOf(hash)
  const factors = factorsOf(hash, punch)
  const across = cosines(width, componentsX)
  const down = cosines(height, componentsY)
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      let red = 0
      let green = 0
      let blue = 0
      // In the order of npm blurhash: another one could round otherwise.
      for (let j = 0, from = 0; j < componentsY; j++)
        for (let i = 0; i < componentsX; i++, from += 3) {
          const weight = across[x * componentsX + i]! * down[y * componentsY + j]!
          red += factors[from]! * weight
          green += factors[from + 1]! * weight
          blue += factors[from + 2]! * weight
        }
      pixels[at] = Math.trunc(toChannel(red))
      pixels[at + 1] = Math.trunc(toChannel(green))
      pixels[at + 2] = Math.trunc(toChannel(blue))
      pixels[at + 3] = 255
    }
  return pixels
}

/** Red, green, blue of each component. */
function factorsOf(hash: string, punch: number): Float64Array {
  const average = fromBase83(hash.slice(2, 6))
  const maximum = ((fromBase83(hash.charAt(1)) + 1) / 166) * punch
  const factors = [toLight(average >> 16), toLight((average >> 8) & 255), toLight(average & 255)]
  for (let at = 6; at < hash.length; at += 2) {
    const value = fromBase83(hash.slice(at, at + 2))
    for (const step of [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19])
      factors.push(signedPower((step - 9) / 9, 2) * maximum)
  }
  return Float64Array.from(factors)
}

function refused(problem: string): StorageError {
  return new StorageError('invalid-argument', `decodeBlurhash: ${problem}`, { operation: 'decodeBlurhash' })
}
