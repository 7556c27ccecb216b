import {
  type ArgumentWriter,
  color,
  either,
  encodedText,
  fields,
  flag,
  notNegative,
  number,
  oneOf,
  part,
  positive,
  quality,
  rightAngle,
  whole,
  wholeAboveZero,
  word,
  words,
} from './argument-writers.ts'
import type { Color, Gravity } from './image-options.ts'

/** What a picture should show, as classes of the server's object detection. */
export type ObjectGravity =
  | { readonly objects: readonly string[] }
  | { readonly objectWeights: { readonly [objectClass: string]: number } }

type Direction = 'down' | 'up' | 'right' | 'left'

/**
 * Options of imgproxy Pro, behind `edition: 'pro'`; the open-source server answers each with 404.
 *
 * Written from imgproxy's documents and never sent to a Pro server.
 * Source: https://docs.imgproxy.net/usage/processing
 */
export interface ProOptions {
  readonly resizingAlgorithm?: 'nearest' | 'linear' | 'cubic' | 'lanczos2' | 'lanczos3'
  readonly gravity?: Gravity | ObjectGravity
  readonly cropAspectRatio?: number | { readonly ratio: number; readonly enlarge?: boolean }
  /** 0 to 1. */
  readonly backgroundAlpha?: number
  readonly adjust?: { readonly brightness?: number; readonly contrast?: number; readonly saturation?: number }
  /** -255 to 255 moves the brightness. */
  readonly brightness?: number
  /** 1 changes nothing. */
  readonly contrast?: number
  /** 1 changes nothing. */
  readonly saturation?: number
  readonly monochrome?: number | { readonly intensity: number; readonly color?: Color }
  readonly duotone?:
    | number
    | { readonly intensity: number; readonly shadows?: Color; readonly highlights?: Color }
  readonly unsharpMasking?: {
    readonly mode: 'auto' | 'none' | 'always'
    readonly weight?: number
    readonly divider?: number
  }
  readonly blurAreas?: {
    readonly sigma: number
    /** Parts of the image's size. */
    readonly areas: readonly {
      readonly left: number
      readonly top: number
      readonly width: number
      readonly height: number
    }[]
  }
  readonly progressiveBlur?:
    | number
    | {
        readonly sigma: number
        readonly direction?: Direction
        readonly start?: number
        readonly stop?: number
      }
  readonly blurDetections?: { readonly sigma: number; readonly classes?: readonly string[] }
  readonly drawDetections?: boolean
  readonly colorize?: { readonly opacity: number; readonly color?: Color; readonly keepAlpha?: boolean }
  readonly gradient?: {
    readonly opacity: number
    readonly color?: Color
    readonly direction?: Direction
    readonly start?: number
    readonly stop?: number
  }
  readonly watermarkUrl?: string
  readonly watermarkText?: string
  readonly watermarkSize?: { readonly width: number; readonly height: number }
  readonly watermarkRotate?: 0 | 90 | 180 | 270
  readonly watermarkShadow?: number
  /** CSS for SVG sources. */
  readonly style?: string
  readonly dpi?: number
  readonly colorProfile?: string
  readonly autoQuality?: {
    readonly method: 'none' | 'size' | 'dssim' | 'ml'
    readonly target?: number
    readonly min?: number
    readonly max?: number
    readonly allowedError?: number
  }
  readonly jpegOptions?: {
    readonly progressive?: boolean
    readonly noSubsample?: boolean
    readonly trellisQuant?: boolean
    readonly overshootDeringing?: boolean
    readonly optimizeScans?: boolean
    readonly quantTable?: number
  }
  readonly pngOptions?: {
    readonly interlaced?: boolean
    readonly quantize?: boolean
    readonly quantizationColors?: number
  }
  readonly webpOptions?: {
    readonly compression?: 'lossy' | 'near_lossless' | 'lossless'
    readonly smartSubsample?: boolean
    readonly preset?: string
  }
  readonly avifOptions?: { readonly subsample: 'auto' | 'on' | 'off' }
  readonly page?: number
  readonly pages?: number
  readonly disableAnimation?: boolean
  readonly videoThumbnailSecond?: number
  readonly videoThumbnailKeyframes?: boolean
  readonly fallbackImageUrl?: string
  readonly bypassCache?: boolean
  readonly cacheTags?: readonly string[]
  readonly hashsum?: { readonly type: 'md5' | 'sha1' | 'sha256' | 'sha512'; readonly sum: string }
}

const itself = (...names: string[]) => oneOf(Object.fromEntries(names.map(name => [name, name])))
const direction = itself('down', 'up', 'right', 'left')
const area = fields({ left: part, top: part, width: part, height: part })

const areas: ArgumentWriter = (value, name, pro) => {
  const list = Array.isArray(value) ? value : []
  return list.map((item, index) => area(item, `${name}[${index}]`, pro)).join(':')
}

/** Segment and arguments of each, in the order in which they stand in a URL. */
export const PRO_SEGMENTS: Readonly<
  Record<Exclude<keyof ProOptions, 'gravity'>, readonly [segment: string, write: ArgumentWriter]>
> = {
  resizingAlgorithm: ['ra', itself('nearest', 'linear', 'cubic', 'lanczos2', 'lanczos3')],
  cropAspectRatio: ['car', either(notNegative, fields({ ratio: notNegative, 'enlarge?': flag }))],
  backgroundAlpha: ['bga', part],
  adjust: ['a', fields({ 'brightness?': number, 'contrast?': notNegative, 'saturation?': notNegative })],
  brightness: ['br', number],
  contrast: ['co', notNegative],
  saturation: ['sa', notNegative],
  monochrome: ['mc', either(part, fields({ intensity: part, 'color?': color }))],
  duotone: ['dt', either(part, fields({ intensity: part, 'shadows?': color, 'highlights?': color }))],
  unsharpMasking: [
    'ush',
    fields({ mode: itself('auto', 'none', 'always'), 'weight?': positive, 'divider?': positive }),
  ],
  blurAreas: ['ba', fields({ sigma: notNegative, areas })],
  progressiveBlur: [
    'pbl',
    either(
      notNegative,
      fields({ sigma: notNegative, 'direction?': direction, 'start?': part, 'stop?': part }),
    ),
  ],
  blurDetections: ['bd', fields({ sigma: notNegative, 'classes?': words })],
  drawDetections: ['dd', flag],
  colorize: ['col', fields({ opacity: part, 'color?': color, 'keepAlpha?': flag })],
  gradient: [
    'gr',
    fields({
      opacity: part,
      'color?': color,
      'direction?': direction,
      'start?': part,
      'stop?': part,
    }),
  ],
  watermarkUrl: ['wmu', encodedText],
  watermarkText: ['wmt', encodedText],
  watermarkSize: ['wms', fields({ width: whole, height: whole })],
  watermarkRotate: ['wmr', rightAngle],
  watermarkShadow: ['wmsh', notNegative],
  style: ['st', encodedText],
  dpi: ['dpi', notNegative],
  colorProfile: ['cp', word],
  autoQuality: [
    'aq',
    fields({
      method: itself('none', 'size', 'dssim', 'ml'),
      'target?': notNegative,
      'min?': quality,
      'max?': quality,
      'allowedError?': notNegative,
    }),
  ],
  jpegOptions: [
    'jpgo',
    fields({
      'progressive?': flag,
      'noSubsample?': flag,
      'trellisQuant?': flag,
      'overshootDeringing?': flag,
      'optimizeScans?': flag,
      'quantTable?': whole,
    }),
  ],
  pngOptions: [
    'pngo',
    fields({ 'interlaced?': flag, 'quantize?': flag, 'quantizationColors?': wholeAboveZero }),
  ],
  webpOptions: [
    'webpo',
    fields({
      'compression?': itself('lossy', 'near_lossless', 'lossless'),
      'smartSubsample?': flag,
      'preset?': word,
    }),
  ],
  avifOptions: ['avifo', fields({ subsample: itself('auto', 'on', 'off') })],
  page: ['pg', whole],
  pages: ['pgs', wholeAboveZero],
  disableAnimation: ['da', flag],
  videoThumbnailSecond: ['vts', notNegative],
  videoThumbnailKeyframes: ['vtk', flag],
  fallbackImageUrl: ['fiu', encodedText],
  bypassCache: ['bc', flag],
  cacheTags: ['ct', words],
  hashsum: ['hs', fields({ type: itself('md5', 'sha1', 'sha256', 'sha512'), sum: word })],
}
