import { plainError } from '../../core/plain-error.ts'
import { signedPower, toChannel, toLight } from './colour.ts'
import { cosines } from './cosines.ts'
import { type BlurhashParts, parseBlurhash } from './parse-blurhash.ts'

/** More would block a page for seconds; 32×32, scaled up by whoever draws it, is enough for a preview. */
const MAX_PIXELS = 16_777_216

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
  const parts = parseBlurhash(hash)
  if (!parts) throw plainError('decodeBlurhash', 'this is no blurhash')
  const sized = [width, height].every(side => side >= 1 && side % 1 === 0) && width * height <= MAX_PIXELS
  if (!sized || !(punch > 0 && punch < Infinity))
    throw plainError('decodeBlurhash', 'wrong width, height or punch')

  const factors = factorsOf(parts, punch)
  const across = cosines(width, parts.x)
  const down = cosines(height, parts.y)
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let red = 0
      let green = 0
      let blue = 0
      // In the order of npm blurhash: another one could round otherwise.
      for (let j = 0, from = 0; j < parts.y; j++)
        for (let i = 0; i < parts.x; i++) {
          const weight = across[x * parts.x + i]! * down[y * parts.y + j]!
          red += weight * factors[from++]!
          green += weight * factors[from++]!
          blue += weight * factors[from++]!
        }
      for (const light of [red, green, blue]) pixels[at++] = Math.trunc(toChannel(light))
      pixels[at++] = 255
    }
  return pixels
}

/** Red, green, blue of each component. */
function factorsOf({ average, maximum, details }: BlurhashParts, punch: number): number[] {
  const strength = maximum * punch
  const triples = details.map(detail => [Math.floor(detail / 361), Math.floor(detail / 19) % 19, detail % 19])
  return [
    ...[average >> 16, (average >> 8) & 255, average & 255].map(toLight),
    ...triples.flat().map(step => signedPower((step - 9) / 9, 2) * strength),
  ]
}
