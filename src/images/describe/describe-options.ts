import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions, type OptionKinds } from '../../core/factory-options.ts'

/** What `describe` may spend on an image. What is above a limit is refused as `too-large` before it is decoded. */
export interface DescribeLimits {
  /** Bytes of the file. Default: 128 MiB. */
  maxBytes?: number
  /**
   * Width times height, of an animation one frame's. Default: 67,108,864: a progressive JPEG of as many takes 200 MB
   * while it is decoded. The largest photos of telephones have 200 million.
   */
  maxPixels?: number
  /** Frames of an animation. Default: 2,000. */
  maxFrames?: number
  /** Milliseconds for decoding, from when it is this image's turn; then it ends with `timeout`. Default: 10 seconds. */
  timeoutMs?: number
}

/** How the blurhash is made. */
export interface BlurhashOptions {
  /** Details across and down, 1 to 9 each. Default: 4 and 4, which are 36 characters. */
  components?: { readonly x: number; readonly y: number }
  /** A colour, such as `#fff`, that transparent pixels are laid on. Default: they stay what they are under their alpha. */
  flatten?: string
  /**
   * Whether SVG is drawn for its blurhash, and measured where it says no size. Default: false, as a small one can take
   * hours that nothing ends; the size that it says is told all the same.
   */
  drawSvg?: boolean
}

export interface DescribeOptions extends DescribeLimits, BlurhashOptions {
  /** Ends it with `aborted`. */
  signal?: AbortSignal
}

export const DESCRIBE_KINDS = {
  maxBytes: 'number',
  maxPixels: 'number',
  maxFrames: 'number',
  components: 'object',
  flatten: 'string',
  drawSvg: 'boolean',
  timeoutMs: 'number',
  signal: 'object',
} as const satisfies OptionKinds<DescribeOptions>

/** What every part reads: options with their defaults. */
export type DescribeSettings = ReturnType<typeof describeSettings>

/** @throws `invalid-argument` for unknown options and for limits or counts that are none */
export function describeSettings(options: DescribeOptions, factory = 'describe') {
  assertFactoryOptions(factory, options, DESCRIBE_KINDS)
  const limits = {
    maxBytes: options.maxBytes ?? 128 * 2 ** 20,
    maxPixels: options.maxPixels ?? 2 ** 26,
    maxFrames: options.maxFrames ?? 2_000,
    timeoutMs: options.timeoutMs ?? 10_000,
  }
  for (const [name, value] of Object.entries(limits))
    if (!(value > 0 && value < 2 ** 47)) throw refused(factory, `${name} must be a number above 0`)
  const components = options.components ?? { x: 4, y: 4 }
  for (const count of [components.x, components.y])
    if (!(Number.isInteger(count) && count >= 1 && count <= 9))
      throw refused(factory, 'components must be { x, y }, whole numbers from 1 to 9')
  return { ...limits, components, flatten: options.flatten, drawSvg: options.drawSvg ?? false }
}

function refused(factory: string, problem: string): StorageError {
  return new StorageError('invalid-argument', `${factory}: ${problem}`, { operation: factory })
}
