import type { Sharp, SharpOptions } from 'sharp'
import { loadPeer } from '../../core/peer.ts'
import { type Plan, planOf, type Size } from './geometry.ts'
import { ImageRefusal, noImage } from './image-refusal.ts'
import type { Colour, Processing } from './processing.ts'

export interface RenderLimits {
  readonly maxPixels: number
  readonly timeoutMs: number
}

export interface RenderedImage {
  readonly bytes: Uint8Array
  readonly type: string
  readonly extension: string
}

type SharpFactory = (input: Uint8Array, options: SharpOptions) => Sharp
type Format = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff'

/** imgproxy's own defaults, in percent. */
const QUALITY: Partial<Record<Format, number>> = { webp: 79, avif: 63 }
const OTHER_QUALITY = 80
const ANIMATED: ReadonlySet<string> = new Set(['webp', 'gif'])
const WHITE: Colour = { r: 255, g: 255, b: 255 }
/** In either direction: below that imgproxy writes another format. */
const LEAST_AVIF = 16
/** Dots per inch at which an SVG has the size that it says. */
const SVG_DENSITY = 72
const MOST_SVG_DENSITY = 2400

/**
 * Does with the bytes of an image what its URL asks for.
 *
 * @throws a refusal for bytes that are no image, for one with too many pixels or a result of too many, and for
 *   work that takes too long; `unsupported` where sharp is not installed
 */
export async function renderImage(
  bytes: Uint8Array,
  wish: Processing,
  { maxPixels, timeoutMs }: RenderLimits,
): Promise<RenderedImage> {
  const sharp = await loadSharp()
  // A file that ends early still has an upper part: imgproxy shows it, too.
  const options: SharpOptions = { limitInputPixels: maxPixels, failOn: 'none' }
  try {
    const source = await sharp(bytes, options).metadata()
    const isVector = source.format === 'svg'
    if (isVector && wish.format === undefined)
      throw noImage('this development handler only turns SVG into other formats: name one with @')
    const animated = ANIMATED.has(source.format ?? '') && (source.pages ?? 1) > 1
    const format = (wish.format ?? defaultFormat(source, wish, animated)) as Format
    const frames = animated && ANIMATED.has(format) ? source.pages! : 1
    const size = { width: source.width!, height: source.pageHeight ?? source.height! }
    const turned = wish.autoRotate && (source.orientation ?? 1) >= 5
    const plan = planOf(turned ? { width: size.height, height: size.width } : size, wish, isVector)
    if (size.width * size.height * frames > maxPixels) throw tooMany('the source', maxPixels)
    // What is cut away has been scaled before, and a canvas is larger than what stands on it.
    for (const { width, height } of [plan.scaled, plan.result])
      if (width * height * frames > maxPixels) throw tooMany('the result', maxPixels)
    const image = sharp(bytes, {
      ...options,
      ...(frames > 1 ? { animated: true } : {}),
      ...(isVector ? { density: densityFor(plan, size) } : {}),
    })
    image.timeout({ seconds: Math.max(1, Math.ceil(timeoutMs / 1000)) })
    const final = format === 'avif' ? instead(plan.result, source.hasAlpha) : format
    draw(image, plan, wish, final === 'jpeg')
    const written = await write(image, final, wish.quality).toBuffer()
    return { bytes: written, type: `image/${final}`, extension: final === 'jpeg' ? 'jpg' : final }
  } catch (error) {
    throw asRefusal(error)
  }
}

function draw(image: Sharp, plan: Plan, wish: Processing, opaque: boolean): void {
  // Without an angle: as the camera was held. Called so also before sharp 0.34, which named it `autoOrient`.
  if (wish.autoRotate) image.rotate()
  if (plan.crop !== undefined) image.extract(plan.crop)
  const background = wish.background ?? (opaque ? WHITE : undefined)
  if (background !== undefined) image.flatten({ background })
  const { scaled, cut, canvas } = plan
  if (cut !== undefined && wish.gravity.type === 'sm') {
    image.resize(cut.width, cut.height, { fit: 'cover', position: 'attention' })
  } else {
    image.resize(scaled.width, scaled.height, { fit: 'fill' })
    if (cut !== undefined) image.extract(cut)
  }
  if (canvas !== undefined) {
    const shown = cut ?? scaled
    image.extend({
      left: canvas.left,
      top: canvas.top,
      right: canvas.width - shown.width - canvas.left,
      bottom: canvas.height - shown.height - canvas.top,
      background: background === undefined ? { r: 0, g: 0, b: 0, alpha: 0 } : { ...background, alpha: 1 },
    })
  }
  // Less than that is no blur to sharp, and an error.
  if (wish.blur >= 0.3) image.blur(Math.min(wish.blur, 1000))
}

/** Effort is what a developer waits for: least where it costs most. */
function write(image: Sharp, format: Format, quality: number): Sharp {
  const percent = quality === 0 ? (QUALITY[format] ?? OTHER_QUALITY) : quality
  switch (format) {
    case 'png':
      return image.png()
    case 'gif':
      return image.gif({ effort: 1 })
    case 'avif':
      return image.avif({ quality: percent, effort: 1 })
    default:
      return image.toFormat(format, { quality: percent })
  }
}

/** What is written where a URL names no format: that of the source, where browsers of all ages show it. */
function defaultFormat(
  source: { format?: string | undefined; hasAlpha?: boolean | undefined },
  wish: Processing,
  animated: boolean,
): Format {
  if (source.format === 'jpeg' || source.format === 'png' || source.format === 'gif') return source.format
  if (animated) return 'gif'
  const alpha = (source.hasAlpha === true || wish.extend !== undefined) && wish.background === undefined
  return alpha ? 'png' : 'jpeg'
}

function instead(result: Size, hasAlpha: boolean | undefined): Format {
  if (result.width >= LEAST_AVIF && result.height >= LEAST_AVIF) return 'avif'
  return hasAlpha === true ? 'png' : 'jpeg'
}

function densityFor({ scaled, crop }: Plan, size: Size): number {
  const from = crop ?? size
  const factor = Math.max(1, scaled.width / from.width, scaled.height / from.height)
  return crop === undefined ? Math.min(SVG_DENSITY * factor, MOST_SVG_DENSITY) : SVG_DENSITY
}

async function loadSharp(): Promise<SharpFactory> {
  const module = await loadPeer(() => import('sharp'), 'devImages', 'sharp')
  return module.default
}

function tooMany(what: string, most: number): ImageRefusal {
  return noImage(`${what} has more than the ${most} pixels of maxPixels`)
}

/** sharp throws plain errors: what they are about stands in their messages only. */
function asRefusal(error: unknown): unknown {
  const message = error instanceof Error ? error.message : ''
  if (error instanceof ImageRefusal || !(error instanceof Error) || error.name === 'StorageError')
    return error
  if (message.startsWith('timeout')) return new ImageRefusal(503, 'Timeout', 'making the image took too long')
  return noImage(`sharp says: ${message.split('\n', 1)[0]}`)
}
