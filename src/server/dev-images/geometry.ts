/** Sizes and places of an image on its way, by the measured rules of imgproxy: see docs/server.md. */
import type { Gravity, Processing } from './processing.ts'

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Rectangle extends Size {
  readonly left: number
  readonly top: number
}

/** What is done to the source, in this order; a step that changes nothing is absent. */
export interface Plan {
  readonly crop?: Rectangle
  readonly scaled: Size
  /** Cut out of what was scaled. */
  readonly cut?: Rectangle
  /** The canvas, and where on it the image stands. */
  readonly canvas?: Size & { readonly left: number; readonly top: number }
  readonly result: Size
}

/**
 * @param source as seen: after orientation
 * @param isVector it may be enlarged without being asked for
 */
export function planOf(source: Size, wish: Processing, isVector = false): Plan {
  const cropped = croppedSize(source, wish)
  const { scaleX, scaleY, dpr } = scaleOf(cropped, wish, isVector)
  const scaled = { width: times(cropped.width, scaleX), height: times(cropped.height, scaleY) }
  const target = {
    width: Math.round(wish.width * dpr * wish.zoom.x),
    height: Math.round(wish.height * dpr * wish.zoom.y),
  }
  const shape = wish.resize === 'fill-down' && !wish.enlarge ? sameRatioWithin(scaled, target) : target
  const cut = { width: least(scaled.width, shape.width), height: least(scaled.height, shape.height) }
  const canvas = wish.extend && {
    width: Math.max(cut.width, target.width),
    height: Math.max(cut.height, target.height),
  }
  return {
    ...(isSame(source, cropped)
      ? {}
      : { crop: { ...cropped, ...place(source, cropped, wish.crop?.gravity ?? wish.gravity, 1) } }),
    scaled,
    ...(isSame(scaled, cut) ? {} : { cut: { ...cut, ...place(scaled, cut, wish.gravity, dpr) } }),
    ...(canvas === undefined || isSame(cut, canvas)
      ? {}
      : { canvas: { ...canvas, ...place(canvas, cut, wish.extend!, dpr) } }),
    result: canvas ?? cut,
  }
}

function croppedSize(source: Size, { crop }: Processing): Size {
  if (crop === undefined) return source
  const part = (whole: number, wished: number) =>
    wished >= 1 ? Math.floor(wished) : Math.max(wished === 0 ? 0 : 1, Math.round(whole * wished))
  return {
    width: least(source.width, part(source.width, crop.width)),
    height: least(source.height, part(source.height, crop.height)),
  }
}

function scaleOf(
  source: Size,
  wish: Processing,
  isVector: boolean,
): { scaleX: number; scaleY: number; dpr: number } {
  let scaleX = wish.width === 0 ? 1 : wish.width / source.width
  let scaleY = wish.height === 0 ? 1 : wish.height / source.height
  const type = wish.resize === 'auto' ? fillsOrFits(source, wish) : wish.resize
  if (type !== 'force' && (scaleX !== 1 || scaleY !== 1)) {
    if (wish.width === 0) scaleX = scaleY
    else if (wish.height === 0) scaleY = scaleX
    else scaleX = scaleY = type === 'fit' ? Math.min(scaleX, scaleY) : Math.max(scaleX, scaleY)
  }
  scaleX *= wish.zoom.x
  scaleY *= wish.zoom.y
  let { dpr } = wish
  if (!wish.enlarge && !isVector) {
    const largest = Math.max(scaleX, scaleY)
    if (largest > 1) {
      scaleX /= largest
      scaleY /= largest
      // What can't be enlarged has pixels to spare for no density: one below 1 takes away from the wish only.
      if (wish.extend === undefined) dpr *= largest
    }
    dpr = Math.min(dpr, 1 / Math.max(scaleX, scaleY))
  }
  const short = Math.max(
    1,
    wish.minWidth / (source.width * scaleX),
    wish.minHeight / (source.height * scaleY),
  )
  return {
    scaleX: Math.max(scaleX * short * dpr, 1 / source.width),
    scaleY: Math.max(scaleY * short * dpr, 1 / source.height),
    dpr,
  }
}

/** `auto` fills where both lie or both stand, and fits otherwise. */
function fillsOrFits(source: Size, wish: Size): 'fill' | 'fit' {
  const width = wish.width || source.width
  const height = wish.height || source.height
  return source.width >= source.height === width >= height ? 'fill' : 'fit'
}

/** The largest size of the ratio of `target` that `scaled` holds, where `target` itself is too large. */
function sameRatioWithin(scaled: Size, target: Size): Size {
  const over = { x: target.width / scaled.width, y: target.height / scaled.height }
  if (over.x > over.y && over.x > 1)
    return { width: scaled.width, height: times(scaled.width, target.height / target.width) }
  if (over.y > over.x && over.y > 1)
    return { width: times(scaled.height, target.width / target.height), height: scaled.height }
  return target
}

/** Where `inner` stands in `outer`: nearest to what `gravity` says, and never outside. */
function place(outer: Size, inner: Size, gravity: Gravity, dpr: number): { left: number; top: number } {
  const room = { x: outer.width - inner.width, y: outer.height - inner.height }
  const { type, x, y } = gravity
  if (type === 'fp') {
    return {
      left: within(Math.round(outer.width * x - inner.width / 2), room.x),
      top: within(Math.round(outer.height * y - inner.height / 2), room.y),
    }
  }
  const offset = (value: number, whole: number) =>
    Math.round(Math.abs(value) >= 1 ? value * dpr : value * whole)
  const along = (start: boolean, end: boolean, free: number, by: number) => {
    if (start) return within(by, free)
    return within(end ? free - by : Math.round(free / 2) + by, free)
  }
  return {
    left: along(type.endsWith('we'), type.endsWith('ea'), room.x, offset(x, outer.width)),
    top: along(type.startsWith('no'), type.startsWith('so'), room.y, offset(y, outer.height)),
  }
}

function within(value: number, most: number): number {
  return Math.max(0, Math.min(value, most))
}

/** `wished`, where it is not 0, but no more than there is. */
function least(available: number, wished: number): number {
  return wished === 0 ? available : Math.min(available, wished)
}

function times(pixels: number, factor: number): number {
  return Math.max(1, Math.round(pixels * factor))
}

function isSame(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height
}
