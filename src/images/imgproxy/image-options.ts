/** What the open-source server writes. `svg` is not among them: it is passed through, see `format: 'source'`. */
export type Format =
  | 'avif'
  | 'bmp'
  | 'gif'
  | 'heic'
  | 'ico'
  | 'jpeg'
  | 'jpg'
  | 'jxl'
  | 'png'
  | 'tiff'
  | 'webp'

/** What the open-source server reads, for options about the source's format. */
export type SourceFormat = Format | 'svg'

export type Compass =
  | 'center'
  | 'north'
  | 'south'
  | 'east'
  | 'west'
  | 'north-east'
  | 'north-west'
  | 'south-east'
  | 'south-west'

/** Offsets are pixels, or where they are between -1 and 1 a part of the image's size. */
export interface Offset {
  readonly at: Compass
  readonly x?: number
  readonly y?: number
}

/** A point as parts of width and height, 0 to 1: what must stay in the picture. */
export interface FocusPoint {
  readonly focusX: number
  readonly focusY: number
}

export type ExtendGravity = Compass | Offset | FocusPoint
/** What stays in the picture when something is cut off. `smart`: what libvips finds most interesting. */
export type Gravity = ExtendGravity | 'smart'

/** `#rrggbb`, `#rgb`, or the same without `#`. */
export type Color = string

/**
 * What imgproxy does to an image: the options of the open-source server under readable names.
 *
 * A property that is absent is left to the server. A value that every server takes by itself (`dpr: 1`,
 * `enlarge: false`, `blur: 0`) is left out of the URL, unless a `preset` is named, which may say otherwise.
 *
 * Source: https://docs.imgproxy.net/usage/processing
 */
export interface ImageOptions {
  /**
   * `fit` keeps the ratio inside the box, `fill` covers it and cuts off, `fill-down` covers it as far as the image
   * reaches, `force` distorts, `auto` is `fill` where both are portrait or both landscape, else `fit`. Default: `fit`.
   */
  readonly resize?: 'fit' | 'fill' | 'fill-down' | 'force' | 'auto'
  /** Pixels, a whole number. 0: follows from the height. */
  readonly width?: number
  /** Pixels, a whole number. 0: follows from the width. */
  readonly height?: number
  readonly minWidth?: number
  readonly minHeight?: number
  /** A factor on the size, above 0. */
  readonly zoom?: number | { readonly width: number; readonly height: number }
  /** Device pixels per pixel, above 0: multiplies the size. */
  readonly dpr?: number
  /** Whether a smaller image grows to the size. */
  readonly enlarge?: boolean
  /** Fills up with background to the exact size; where the image stands, if not in the center. */
  readonly extend?: boolean | ExtendGravity
  /** The same to the ratio only. */
  readonly extendAspectRatio?: boolean | ExtendGravity
  readonly gravity?: Gravity
  /** Before resizing. Pixels from 1 on, parts of the image's size below 1, 0 for all of it. */
  readonly crop?: { readonly width: number; readonly height: number; readonly gravity?: Gravity }
  /** Removes an even border: how different its pixels may be, or more precisely. */
  readonly trim?:
    | number
    | {
        readonly threshold: number
        readonly color?: Color
        /** Cuts the same left and right. */
        readonly equalHorizontal?: boolean
        /** Cuts the same at the top and at the bottom. */
        readonly equalVertical?: boolean
      }
  /** Pixels around the image; a side that is absent has none. */
  readonly padding?:
    | number
    | { readonly top?: number; readonly right?: number; readonly bottom?: number; readonly left?: number }
  /** Whether EXIF orientation is applied. Default: what the server is set to, normally yes. */
  readonly autoRotate?: boolean
  /** Degrees clockwise, after the EXIF orientation. */
  readonly rotate?: 0 | 90 | 180 | 270
  readonly flip?: 'none' | 'horizontal' | 'vertical' | 'both'
  /** What is behind transparent pixels, where the format has none or not. */
  readonly background?: Color
  /** Sigma of a Gaussian blur. Its cost follows the area of the result: blur 20 pixels, not 2,000. */
  readonly blur?: number
  /** Sigma of the sharpening mask. */
  readonly sharpen?: number
  /** Pixels of one square. */
  readonly pixelate?: number
  /** The server's own watermark: its opacity, 0 to 1, or more precisely. */
  readonly watermark?:
    | number
    | {
        readonly opacity: number
        readonly position?: Compass | 'replicate'
        readonly x?: number
        readonly y?: number
        /** Its size as a part of the image's. */
        readonly scale?: number
      }
  readonly stripMetadata?: boolean
  readonly keepCopyright?: boolean
  readonly stripColorProfile?: boolean
  readonly preserveHdr?: boolean
  /** Takes the thumbnail inside a HEIC or AVIF file instead of the image. */
  readonly enforceThumbnail?: boolean
  /** 1 to 100; 0 for what the server is set to. */
  readonly quality?: number
  /** Quality for each format, where the format is not known beforehand. */
  readonly formatQuality?: { readonly [format in SourceFormat]?: number }
  /** Bytes the result should not exceed: quality is lowered until it fits. Not for every format. */
  readonly maxBytes?: number
  /**
   * What the URL ends in. `source`: no ending, the server decides, perhaps by the Accept header, which a CDN then needs
   * in its cache key. Default: the builder's.
   */
  readonly format?: Format | 'source'
  /** The format as an option, `f:`, for servers and URLs that want it there. An ending (`format`) wins over it. */
  readonly formatOption?: Format
  /** Sources of these formats are passed through as they are, where the result has the same format. */
  readonly skipProcessing?: readonly SourceFormat[]
  /** Passes the source through, whatever it is. */
  readonly raw?: boolean
  /** Changes the URL and nothing else: a version or an etag, so that a replaced image gets a new URL. No `:`, no `/`. */
  readonly cacheBuster?: string
  /** When the URL ends: a Date or seconds since 1970. 0 for never, also where the builder has a `ttlSeconds`. */
  readonly expires?: Date | number
  /** The name to save under, without an ending: the server appends that of the format. Any Unicode. */
  readonly filename?: string
  /** Whether a browser saves the image instead of showing it. */
  readonly attachment?: boolean
  /** Sets of options that the server knows by name. They come first: the options beside them win. */
  readonly preset?: string | readonly string[]
  /** Megapixels of the source. This and the four below need `allowSecurityOptions`, here and on the server. */
  readonly maxSourceMegapixels?: number
  readonly maxSourceBytes?: number
  readonly maxAnimationFrames?: number
  readonly maxAnimationFrameMegapixels?: number
  /** Pixels of the longer side of the result. */
  readonly maxResultDimension?: number
}

/** What may differ from one use of a prepared preset to the next. */
export type CallOptions = Pick<ImageOptions, 'cacheBuster' | 'expires'>
