import { StorageError } from '../../core/errors.ts'
import type { CallOptions, Edition, Imgproxy, OptionsOf } from '../imgproxy/index.ts'

/** What imgproxy makes of an image: its options, or what `preset` of the builder has prepared. */
export type ImageVariant<E extends Edition = 'open-source'> =
  | OptionsOf<E>
  | ((source: string, call?: CallOptions) => string)

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

/** Makes the URL of one variant of many images. */
export interface PreparedVariant {
  /** Its name in a set: `thumbUrl`. */
  readonly field: string
  readonly url: (source: string, call?: CallOptions) => string
}

/** The defaults and what changes them, ready to build URLs. @throws `invalid-argument` for options that imgproxy does not take */
export function preparedVariants(
  images: Pick<Imgproxy, 'preset'>,
  changes: ImageVariants = {},
): PreparedVariant[] {
  const prepared: PreparedVariant[] = []
  for (const [name, variant] of Object.entries({ ...DEFAULTS, ...changes })) {
    if (!/^[A-Za-z]\w*$/.test(name))
      throw refused(`'${name}' can't be the name of a variant; take letters and digits`)
    if (variant === false) continue
    const url = isPrepared(variant) ? variant : prepare(images, name, variant)
    prepared.push({ field: `${name}Url`, url })
  }
  return prepared
}

function isPrepared(variant: ImageVariant): variant is PreparedVariant['url'] {
  return typeof variant === 'function'
}

function prepare(images: Pick<Imgproxy, 'preset'>, name: string, variant: object): PreparedVariant['url'] {
  if (typeof variant !== 'object' || variant === null)
    throw refused(`the variant ${name} must be options of imgproxy, a prepared preset, or false`)
  for (const own of ['expires', 'cacheBuster'])
    if (own in variant) throw refused(`the variant ${name} can't have ${own}: it is each image's own`)
  return images.preset(variant)
}

function refused(problem: string): StorageError {
  return new StorageError('invalid-argument', `imageUrls: ${problem}`)
}
