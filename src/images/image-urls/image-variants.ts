import { StorageError } from '../../core/errors.ts'
import type { CallOptions, Edition, Imgproxy, OptionsOf } from '../imgproxy/index.ts'

/** What imgproxy makes of an image: its options, or what `preset` of the builder has prepared. */
export type ImageVariant<E extends Edition = 'open-source'> = OptionsOf<E> | UrlMaker

/** Variants by name: `card` becomes `cardUrl`. `false` leaves out one of the defaults. */
export type ImageVariants<E extends Edition = 'open-source'> = Readonly<
  Record<string, ImageVariant<E> | false>
>

const DEFAULTS = {
  /** The whole image, in a format for browsers. */
  origin: {},
  thumb: { resize: 'fit', width: 400, height: 0 },
  /** Blurred after it was made small: blur costs by the area of what comes out. */
  blur: { resize: 'fit', width: 20, height: 0, blur: 5 },
} as const

type DefaultName = keyof typeof DEFAULTS

type NamesOf<Variants> =
  | Exclude<DefaultName, keyof Variants>
  | { [Name in keyof Variants]: Variants[Name] extends false ? never : Name }[keyof Variants]

/** The URLs of the variants by the names they have in a set. */
export type VariantUrls<Variants> = {
  [Name in NamesOf<Variants> & string as `${Name}Url`]: string
}

/** What `preset` of the builder returns. */
type UrlMaker = (source: string, call?: CallOptions) => string

/** Writes the URLs of the variants into the set of an image. */
export type WriteVariants = (set: Record<string, unknown>, source: string, call: CallOptions) => void

/** Images whose URLs are kept: some megabytes. */
const MOST_KEPT = 5_000

/**
 * The defaults and what changes them, ready to write URLs. Signing is most of what a feed costs, and the same images come
 * again and again: URLs are kept, since they follow from source, version and end alone. Functions are always asked.
 *
 * @throws `invalid-argument` for options that imgproxy does not take
 */
export function variantWriter(images: Pick<Imgproxy, 'preset'>, changes: ImageVariants = {}): WriteVariants {
  const variants = Object.entries({ ...DEFAULTS, ...changes }).flatMap(([name, variant]) => {
    if (!/^[A-Za-z]\w*$/.test(name))
      throw refused(`'${name}' can't be the name of a variant; take letters and digits`)
    if (variant === false) return []
    const given = isPrepared(variant)
    const field = `${name}Url`
    return { field, given, url: madeText(field, given ? variant : prepare(images, name, variant)) }
  })
  const kept = new Map<string, readonly string[]>()

  function urlsOf(source: string, call: CallOptions): readonly string[] {
    const id = `${source}\n${call.expires}\n${call.cacheBuster}`
    const known = kept.get(id)
    if (known !== undefined) return known
    const urls = variants.map(({ given, url }) => (given ? '' : url(source, call)))
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(id, urls)
    return urls
  }

  return (set, source, call) => {
    const urls = urlsOf(source, call)
    for (const [at, { field, given, url }] of variants.entries())
      set[field] = given ? url(source, call) : urls[at]
  }
}

/** Promises would look like URLs until they are sent: as `{}`. */
function madeText(field: string, url: UrlMaker): UrlMaker {
  return (source, call) => {
    const made: unknown = url(source, call)
    if (typeof made === 'string') return made
    throw refused(
      `${field} is no text: take imgproxy, which is not imgproxyAsync, and functions that return a string`,
    )
  }
}

function isPrepared(variant: ImageVariant): variant is UrlMaker {
  return typeof variant === 'function'
}

function prepare(images: Pick<Imgproxy, 'preset'>, name: string, variant: object): UrlMaker {
  if (typeof variant !== 'object' || variant === null)
    throw refused(`the variant ${name} must be options of imgproxy, a prepared preset, or false`)
  for (const own of ['expires', 'cacheBuster'])
    if (own in variant) throw refused(`the variant ${name} can't have ${own}: it is each image's own`)
  return images.preset(variant)
}

function refused(problem: string): StorageError {
  return new StorageError('invalid-argument', `imageUrls: ${problem}`)
}
