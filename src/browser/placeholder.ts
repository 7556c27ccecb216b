import { decodeBlurhash } from '../images/blurhash/decode.ts'

export interface PlaceholderOptions {
  /** Pixels, for the page to scale up. Default: 32. */
  width?: number
  /** Default: 32. */
  height?: number
  /** Contrast: 1, the default, is as it was; more is stronger. */
  punch?: number
}

/** The pixels of a blurhash, small, as it is made to be scaled up. */
export function placeholder(hash: string, { width = 32, height = 32, punch = 1 }: PlaceholderOptions = {}) {
  return { pixels: decodeBlurhash(hash, width, height, punch), width, height }
}
