/** The options that the development handler knows, what they are called and how they set what is done. */
import { type ImageRefusal, invalidUrl } from './image-refusal.ts'
import {
  aboveZero,
  BadValue,
  base64Text,
  colour,
  gravity,
  isOn,
  number,
  signedWhole,
  whole,
} from './option-values.ts'
import { CENTRE, type Processing, RESIZE_TYPES, type ResizeType } from './processing.ts'

/** The options that a preset stands for, in their order. */
export type Preset = readonly (readonly [name: string, args: readonly string[]])[]

export interface OptionContext {
  readonly presets: ReadonlyMap<string, Preset>
  readonly nowSeconds: number
}

type Apply = (to: Processing, args: readonly string[], context: OptionContext) => void

/** Each with all its names and the most arguments it takes. */
const OPTIONS: readonly (readonly [names: string, most: number, apply: Apply])[] = [
  ['resize rs', 8, setResize],
  ['size s', 7, setSize],
  ['resizing_type rt', 1, (to, [type]) => setResizeType(to, type!)],
  ['width w', 1, (to, [pixels]) => set(to, { width: whole(pixels!) })],
  ['height h', 1, (to, [pixels]) => set(to, { height: whole(pixels!) })],
  ['min-width mw', 1, (to, [pixels]) => set(to, { minWidth: whole(pixels!) })],
  ['min-height mh', 1, (to, [pixels]) => set(to, { minHeight: whole(pixels!) })],
  ['zoom z', 2, (to, [x, y = x]) => set(to, { zoom: { x: aboveZero(x!), y: aboveZero(y!) } })],
  ['dpr', 1, (to, [factor]) => set(to, { dpr: aboveZero(factor!) })],
  ['enlarge el', 1, (to, [on]) => set(to, { enlarge: isOn(on!) })],
  ['extend ex', 4, setExtend],
  ['gravity g', 3, (to, args) => set(to, { gravity: gravity(args, true) })],
  ['crop c', 5, setCrop],
  ['blur bl', 1, (to, [sigma]) => set(to, { blur: number(sigma!) })],
  ['background bg', 3, (to, args) => set(to, { background: colour(args) })],
  ['auto_rotate ar', 1, (to, [on]) => set(to, { autoRotate: isOn(on!) })],
  ['quality q', 1, (to, [percent]) => set(to, { quality: whole(percent!, 100) })],
  ['format f ext', 1, (to, [format]) => setFormat(to, format!)],
  ['raw', 1, (to, [on]) => set(to, { raw: isOn(on!) })],
  // It does nothing but make another URL for the same image.
  ['cachebuster cb', 1, () => {}],
  ['expires exp', 1, setExpires],
  ['filename fn', 2, setFileName],
  ['return_attachment att', 1, (to, [on]) => set(to, { attachment: isOn(on!) })],
]

const KNOWN = new Map(
  OPTIONS.flatMap(([names, most, apply]) => names.split(' ').map(name => [name, { most, apply }] as const)),
)
/** What the open-source imgproxy does beyond that. */
const NOT_HERE = new Set(
  (
    'extend_aspect_ratio extend_ar exar trim t padding pd rotate rot flip fl sharpen sh pixelate pix watermark wm ' +
    'strip_metadata sm keep_copyright kcr strip_color_profile scp preserve_hdr ph enforce_thumbnail eth ' +
    'format_quality fq max_bytes mb skip_processing skp'
  ).split(' '),
)
const SECURITY = new Set(
  (
    'max_src_resolution msr max_src_file_size msfs max_animation_frames maf ' +
    'max_animation_frame_resolution mafr max_result_dimension mrd'
  ).split(' '),
)
const FORMATS = new Set('jpeg jpg jxl png webp gif ico svg heic avif bmp tiff'.split(' '))
/** Those of them that sharp can write. */
const WRITTEN = new Set('jpeg jpg png webp gif avif tiff'.split(' '))

/** Later options win. @throws a refusal that names what is not known, or what is wrong with it */
export function applyOption(
  to: Processing,
  name: string,
  args: readonly string[],
  context: OptionContext,
  inside: readonly string[] = [],
): void {
  if (name === 'pr' || name === 'preset') {
    applyPresets(to, args, context, inside)
    return
  }
  const option = KNOWN.get(name)
  if (option === undefined) throw unknownOption(name)
  if (args.length > option.most)
    throw invalidUrl(`the option ${name} takes no more than ${option.most} arguments`)
  try {
    option.apply(to, args, context)
  } catch (problem) {
    if (problem instanceof BadValue) throw invalidUrl(`the option ${name} ${problem.message}`)
    throw problem
  }
}

/** @param inside the presets being applied already: one that leads back to itself is passed over */
export function applyPresets(
  to: Processing,
  names: readonly string[],
  context: OptionContext,
  inside: readonly string[] = [],
): void {
  for (const name of names) {
    const preset = context.presets.get(name)
    if (preset === undefined) throw invalidUrl(`no preset of this handler is called '${name}'`)
    if (inside.includes(name)) continue
    for (const [option, args] of preset) applyOption(to, option, args, context, [...inside, name])
  }
}

/** @returns undefined for what is no list of options */
export function parsePreset(text: string): Preset | undefined {
  const options = text.trim().split('/')
  if (!options.every(option => option.includes(':'))) return undefined
  return options.map(option => {
    const [name = '', ...args] = option.split(':')
    return [name, args]
  })
}

export function setFormat(to: Processing, name: string): void {
  if (!FORMATS.has(name)) throw invalidUrl(`imgproxy knows no output format '${name}'`)
  if (!WRITTEN.has(name))
    throw invalidUrl(`imgproxy may write ${name}, this development handler does not`, 422)
  to.format = name === 'jpg' ? 'jpeg' : name
}

function unknownOption(name: string): ImageRefusal {
  if (SECURITY.has(name)) return invalidUrl(`${name} is a security option, which no URL may set here`, 403)
  return invalidUrl(
    NOT_HERE.has(name)
      ? `imgproxy has the option ${name}, this development handler does not`
      : `the open-source imgproxy has no option '${name}'`,
  )
}

function set(to: Processing, values: Partial<Processing>): void {
  Object.assign(to, values)
}

/** Arguments that are left empty change nothing, here and in `size`. */
function setResize(to: Processing, [type = '', ...size]: readonly string[]): void {
  if (type !== '') setResizeType(to, type)
  setSize(to, size)
}

function setResizeType(to: Processing, type: string): void {
  if (!(RESIZE_TYPES as readonly string[]).includes(type))
    throw new BadValue(`takes the types ${RESIZE_TYPES.join(', ')}`)
  to.resize = type as ResizeType
}

function setSize(to: Processing, args: readonly string[]): void {
  const [width = '', height = '', enlarge = '', ...extend] = args
  if (width !== '') to.width = whole(width)
  if (height !== '') to.height = whole(height)
  if (enlarge !== '') to.enlarge = isOn(enlarge)
  if (extend.length > 0 && extend[0] !== '') setExtend(to, extend)
}

function setExtend(to: Processing, [on = '', ...where]: readonly string[]): void {
  const place = where.length === 0 ? (to.extend ?? CENTRE) : gravity(where, false)
  to.extend = isOn(on) ? place : undefined
}

function setCrop(to: Processing, [width = '', height, ...where]: readonly string[]): void {
  const place = where.length === 0 ? undefined : gravity(where, true)
  if (place?.type === 'sm') throw new BadValue('takes no sm in this development handler')
  to.crop = { width: number(width), height: height === undefined ? 0 : number(height), gravity: place }
}

function setExpires(to: Processing, [text = '']: readonly string[], context: OptionContext): void {
  const seconds = signedWhole(text)
  if (seconds > 0 && seconds < context.nowSeconds) throw new BadValue('says that this URL has expired')
  to.expires = seconds
}

function setFileName(to: Processing, [name = '', encoded = '']: readonly string[]): void {
  to.fileName = isOn(encoded) ? base64Text(name) : name
}
