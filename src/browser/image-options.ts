import { plainError } from '../core/plain-error.ts'
import { checkOptions } from './check-options.ts'

export interface ProcessImageOptions {
  /** Pixels as seen. A wider image is shrunk, its ratio kept; none is enlarged. Default: no limit. */
  maxWidth?: number
  /** Pixels as seen. Default: no limit. */
  maxHeight?: number
  /**
   * Default: the file's own, or where browsers can't write that, JPEG for what has no transparent pixels, else PNG. A
   * browser that does not write WebP (Safari) takes the same way out: ask the result for its `type`.
   */
  type?: 'image/webp' | 'image/jpeg' | 'image/png'
  /** 0 to 1, for JPEG and WebP. Default: 0.85. */
  quality?: number
  /** Details of the blurhash, 1 to 9 each. Default: 4 and 4. */
  components?: { x: number; y: number }
  /**
   * `when-needed` (the default): only where the image must shrink, is turned by EXIF, or another type is asked for;
   * else the file stays as it is, its EXIF with the place it was taken at included. `always` leaves nothing but pixels.
   * `never` only measures: then no limit and no type may be given.
   */
  reencode?: 'when-needed' | 'always' | 'never'
  /** Larger files are `too-large`, and not looked into. Default: 100,000,000. */
  maxBytes?: number
  /** Larger images are `too-large`, before they are decoded where their header tells. Default: 100,000,000. */
  maxPixels?: number
  /** `false`: on the main thread, also where a worker is to be had. */
  worker?: boolean
  /** Ends the work: a waiting image is not begun, a worker that has begun is ended. */
  signal?: AbortSignal
}

export interface ProcessedImage {
  /** The very object that was given, where nothing had to change. */
  readonly blob: Blob
  /** Of `blob`, by its bytes: 'image/jpeg' also for a file without a type. */
  readonly type: string
  /** Of `blob`, as seen. */
  readonly width: number
  readonly height: number
  /** '' where the browser hands out no true pixels. */
  readonly blurhash: string
  /** It has more than one frame: it was kept as it is, whatever was asked for; size and blurhash are the first's. */
  readonly animated: boolean
  readonly reencoded: boolean
}

/** What a canvas may write. */
export const WRITABLE = /^image\/(webp|jpeg|png)$/

/** @throws `invalid-argument` for options that are misspelt, out of range or at odds; `too-large` */
export function imageSettings(
  file: Blob,
  {
    maxWidth = Infinity,
    maxHeight = Infinity,
    type,
    quality = 0.85,
    components: { x, y } = { x: 4, y: 4 },
    reencode = 'when-needed',
    maxBytes = 1e8,
    maxPixels = 1e8,
    worker: _worker,
    signal: _signal,
    ...unknown
  }: ProcessImageOptions,
) {
  const limit = Math.min(maxWidth, maxHeight)
  checkOptions(
    'processImage',
    unknown,
    !(file instanceof Blob) && 'file',
    !(Math.min(limit, maxBytes, maxPixels) >= 1) && 'limit',
    !(quality >= 0 && quality <= 1) && 'quality, not 0 to 1',
    !/^[1-9],[1-9]$/.test(`${x},${y}`) && 'components, not 1 to 9',
    type !== undefined && !WRITABLE.test(type) && 'type',
    !/^(when-needed|always|never)$/.test(reencode) && 'reencode',
    reencode === 'never' && (type !== undefined || limit < Infinity) && 'limit with never',
  )
  if (file.size > maxBytes) throw plainError('processImage', 'above maxBytes', 'too-large')
  return { maxWidth, maxHeight, maxPixels, quality, type, reencode, x, y }
}

export type ImageSettings = ReturnType<typeof imageSettings>
