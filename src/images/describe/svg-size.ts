/** Pixels of each unit as libvips takes them, at 72 per inch: what imgproxy makes of the image has the same size. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  px: 1,
  pt: 1,
  pc: 12,
  in: 72,
  cm: 72 / 2.54,
  mm: 72 / 25.4,
}
const LENGTH = /^\s*(\+?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)([a-z]*)\s*$/i
/** What may stand before the first element: space, instructions, comments, a document type. */
const PROLOG = /\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^[>]*(?:\[.*?\]\s*)?>/sy
const ATTRIBUTE = /\s+([^\s=>/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y

/**
 * Width and height that an SVG says it has, by the attributes of its root; `undefined` where it says none.
 *
 * sharp would know more, and must not be asked: where none is said it measures all that there is to draw, which a few
 * hundred bytes can make take hours, and it ends neither by its own timeout nor by ours.
 */
export function svgSize(start: Uint8Array): { width: number; height: number } | undefined {
  const root = rootAttributes(new TextDecoder().decode(start))
  const box = root
    .get('viewBox')
    ?.trim()
    .split(/[\s,]+/)
    .map(pixels)
  const [boxWidth, boxHeight] = box?.length === 4 ? box.slice(2) : []
  const ratio = boxWidth && boxHeight ? boxWidth / boxHeight : undefined
  let width = pixels(root.get('width'))
  let height = pixels(root.get('height'))
  if (width === undefined && height === undefined) [width, height] = [boxWidth, boxHeight]
  if (ratio !== undefined) {
    width ??= height! * ratio
    height ??= width / ratio
  }
  const size = { width: Math.round(width ?? 0), height: Math.round(height ?? 0) }
  return size.width > 0 && size.height > 0 ? size : undefined
}

function rootAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>()
  PROLOG.lastIndex = 0
  let at = 0
  while (PROLOG.test(text)) at = PROLOG.lastIndex
  if (!text.startsWith('<svg', at)) return attributes
  ATTRIBUTE.lastIndex = at + '<svg'.length
  for (let found = ATTRIBUTE.exec(text); found !== null; found = ATTRIBUTE.exec(text))
    attributes.set(found[1]!, found[2] ?? found[3]!)
  return attributes
}

/** `undefined` for what is no length of its own, as a part of what is around the image. */
function pixels(length: string | undefined): number | undefined {
  const [, value, unit] = LENGTH.exec(length ?? '') ?? []
  const factor = UNITS[unit?.toLowerCase() ?? '']
  return value === undefined || factor === undefined ? undefined : Number(value) * factor
}
