import * as write from './argument-writers.ts'
import type { CallOptions, ImageOptions } from './image-options.ts'
import { PRO_SEGMENTS } from './pro-options.ts'

export interface Segment {
  /** Where it stands among the others. */
  readonly rank: number
  readonly name: string
  readonly write: write.ArgumentWriter
  /** The arguments that change nothing on any server. */
  readonly neutral?: string
  readonly needs?: 'pro' | 'security'
}

/** `resize`, `width` and `height` share a segment; `preset` comes first; `format` is the URL's ending. */
type Apart = 'preset' | 'resize' | 'width' | 'height' | 'format' | keyof CallOptions

type Rows<Name extends string> = Readonly<
  Record<Name, readonly [segment: string, write: write.ArgumentWriter, neutral?: string]>
>
type SecurityName =
  | 'maxSourceMegapixels'
  | 'maxSourceBytes'
  | 'maxAnimationFrames'
  | 'maxAnimationFrameMegapixels'
  | 'maxResultDimension'
type TailName = 'filename' | 'attachment'

/**
 * In the order of imgproxy's documents, which is the order of the URL: the same wish gives the same URL, and a CDN
 * sees one image.
 */
const HEAD: Rows<Exclude<keyof ImageOptions, Apart | SecurityName | TailName>> = {
  minWidth: ['mw', write.whole, '0'],
  minHeight: ['mh', write.whole, '0'],
  zoom: ['z', write.zoom, '1'],
  dpr: ['dpr', write.positive, '1'],
  enlarge: ['el', write.flag, '0'],
  extend: ['ex', write.extend, '0'],
  extendAspectRatio: ['exar', write.extend, '0'],
  gravity: ['g', write.gravity, 'ce'],
  crop: ['c', write.crop, '0:0'],
  trim: ['t', write.trim],
  padding: ['pd', write.padding, '0'],
  autoRotate: ['ar', write.flag],
  rotate: ['rot', write.rightAngle, '0'],
  flip: ['fl', write.oneOf({ none: '0:0', horizontal: '1:0', vertical: '0:1', both: '1:1' }), '0:0'],
  background: ['bg', write.color],
  blur: ['bl', write.notNegative, '0'],
  sharpen: ['sh', write.notNegative, '0'],
  pixelate: ['pix', write.whole, '0'],
  watermark: ['wm', write.watermark, '0'],
  stripMetadata: ['sm', write.flag],
  keepCopyright: ['kcr', write.flag],
  stripColorProfile: ['scp', write.flag],
  preserveHdr: ['ph', write.flag],
  enforceThumbnail: ['eth', write.flag],
  quality: ['q', write.quality, '0'],
  formatQuality: ['fq', write.formatQualities, ''],
  maxBytes: ['mb', write.whole, '0'],
  formatOption: ['f', write.format],
  skipProcessing: ['skp', write.sourceFormats, ''],
  raw: ['raw', write.flag, '0'],
}

const TAIL: Rows<TailName> = {
  filename: ['fn', write.filename],
  attachment: ['att', write.flag],
}

const SECURITY: Rows<SecurityName> = {
  maxSourceMegapixels: ['msr', write.notNegative],
  maxSourceBytes: ['msfs', write.whole],
  maxAnimationFrames: ['maf', write.wholeAboveZero],
  maxAnimationFrameMegapixels: ['mafr', write.notNegative],
  maxResultDimension: ['mrd', write.whole],
}

/** What is of this rank or above stands behind `cacheBuster` and `expires`, which may differ with every call. */
export const FIRST_OF_TAIL = 1000

function* ranked(
  rows: Rows<string>,
  firstRank: number,
  needs?: Segment['needs'],
): Generator<[string, Segment]> {
  let rank = firstRank
  for (const [option, [name, writer, neutral]] of Object.entries(rows))
    yield [option, { rank: rank++, name, write: writer, neutral, needs }]
}

/** By the name of the option. */
export function segmentTable(): ReadonlyMap<string, Segment> {
  return new Map([
    ...ranked(HEAD, 0),
    ...ranked(PRO_SEGMENTS, 500, 'pro'),
    ...ranked(TAIL, FIRST_OF_TAIL),
    ...ranked(SECURITY, FIRST_OF_TAIL + 100, 'security'),
  ])
}
