export const RESIZE_TYPES = ['fit', 'fill', 'fill-down', 'force', 'auto'] as const
export type ResizeType = (typeof RESIZE_TYPES)[number]

export const DIRECTIONS = ['ce', 'no', 'ea', 'so', 'we', 'nowe', 'noea', 'sowe', 'soea'] as const

export interface Gravity {
  /** A direction; `sm`, where the eye is drawn to; `fp`, the point at `x`, `y`, in parts of the size. */
  readonly type: (typeof DIRECTIONS)[number] | 'sm' | 'fp'
  /** Distance from the edge in pixels; below 1 as a part of the size. */
  readonly x: number
  readonly y: number
}

export interface Colour {
  readonly r: number
  readonly g: number
  readonly b: number
}

/** What the options of one URL come to. */
export interface Processing {
  resize: ResizeType
  /** 0 keeps the ratio, in both. */
  width: number
  height: number
  minWidth: number
  minHeight: number
  zoom: { readonly x: number; readonly y: number }
  dpr: number
  enlarge: boolean
  /** Where the image stands in a canvas of the size asked for. */
  extend: Gravity | undefined
  gravity: Gravity
  /** In pixels; below 1 as a part of the source, 0 for all of it. */
  crop: { readonly width: number; readonly height: number; readonly gravity: Gravity | undefined } | undefined
  blur: number
  background: Colour | undefined
  autoRotate: boolean
  /** 0 for the default of the format. */
  quality: number
  format: string | undefined
  raw: boolean
  fileName: string
  attachment: boolean
  /** Seconds since 1970; 0 or less for never. */
  expires: number
}

export const CENTRE: Gravity = { type: 'ce', x: 0, y: 0 }

export function newProcessing(): Processing {
  return {
    resize: 'fit',
    width: 0,
    height: 0,
    minWidth: 0,
    minHeight: 0,
    zoom: { x: 1, y: 1 },
    dpr: 1,
    enlarge: false,
    extend: undefined,
    gravity: CENTRE,
    crop: undefined,
    blur: 0,
    background: undefined,
    autoRotate: true,
    quality: 0,
    format: undefined,
    raw: false,
    fileName: '',
    attachment: false,
    expires: 0,
  }
}
