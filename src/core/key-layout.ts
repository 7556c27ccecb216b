import { StorageError } from './errors.ts'
import { keepApart } from './key-overlap.ts'
import { KeyPattern } from './key-pattern.ts'

/** What a kind of parameter is in TypeScript; every other kind is a list of words: `insert|gen`. */
interface Kinds {
  uuid: string
  /** Whole, 0 or above. */
  int: number
  /** `2026-01-31` */
  date: string
}

type Words<Text extends string> = Text extends `${infer Word}|${infer More}` ? Word | Words<More> : Text

type ParameterOf<Text extends string> = Text extends `${infer Name}...`
  ? Record<Name, string>
  : Text extends `${infer Name}:${infer Kind}`
    ? Record<Name, Kind extends keyof Kinds ? Kinds[Kind] : Words<Kind>>
    : Record<Text, string>

type ParametersOf<Pattern extends string> = Pattern extends `${string}{${infer Text}}${infer More}`
  ? ParameterOf<Text> & ParametersOf<More>
  : unknown

/** The parameters of a pattern by name. Of one that is not known while compiling, anything. */
export type KeyParameters<Pattern extends string> = string extends Pattern
  ? Record<string, string | number>
  : { [Name in keyof ParametersOf<Pattern>]: ParametersOf<Pattern>[Name] }

/** Builds and reads the keys of one pattern. */
export interface KeyForm<Pattern extends string> {
  /**
   * The key with these parameters.
   *
   * @throws `invalid-key` for a value that no key, or no key of this pattern, can have; `invalid-argument` for a
   *   parameter that is missing, unknown or of another type
   */
  build(params: KeyParameters<Pattern>): string
  /**
   * The beginning of all keys with these leading parameters, for `list({ prefix })`. Other patterns may have keys that
   * begin so, too. @throws as `build`
   */
  prefix(params: Partial<KeyParameters<Pattern>>): string
  /** The parameters of a key of this pattern; undefined for any other. */
  parse(key: string): KeyParameters<Pattern> | undefined
}

/** Which pattern a key has, and with what. */
export type KeyMatch<Patterns extends Readonly<Record<string, string>>> = {
  [Name in keyof Patterns]: { readonly name: Name; readonly params: KeyParameters<Patterns[Name]> }
}[keyof Patterns]

export type KeyLayout<Patterns extends Readonly<Record<string, string>>> = {
  readonly [Name in keyof Patterns]: KeyForm<Patterns[Name]>
} & {
  /** The one pattern that a key has, and its parameters; undefined for a key of none. */
  parse(key: string): KeyMatch<Patterns> | undefined
}

/**
 * How an application's keys are made, in one place: builds them of typed parameters and reads them back. Every key that
 * is built reads back as what it was built of, and no key reads as two patterns.
 *
 * `{name}` is text without a slash, up to the fixed text behind it. `{name:uuid}` (in lower case), `{name:int}` (a number),
 * `{name:date}` (`2026-01-31`) and `{name:a|b}` take only these. `{name...}` is the rest, slashes included. Where one
 * pattern has a fixed word and another a plain `{name}`, that parameter never takes the word: below, no user's id is `feed`
 * and no thread's is `temp`.
 *
 * @throws `invalid-argument` for a pattern that can't be read back, and for two that one key could have
 *
 * @example
 * ```ts
 * const layout = keys({
 *   image: '{userId}/{threadId}/{kind:insert|gen|mask|expand}_{id:uuid}',
 *   temp: '{userId}/temp/{rest...}',
 *   feed: 'feed/{feedId:uuid}/{kind:insert|watermark}_{id:uuid}',
 * })
 * const key = layout.image.build({ userId: 'u1', threadId: 't1', kind: 'gen', id: crypto.randomUUID() })
 * const match = layout.parse(key)
 * if (match?.name === 'image') console.log(match.params.threadId)
 * for await (const entry of files.list({ prefix: layout.image.prefix({ userId: 'u1' }) })) console.log(entry)
 * ```
 */
export function keys<const Patterns extends Readonly<Record<string, string>>>(
  patterns: Patterns & { parse?: never },
): KeyLayout<Patterns> {
  const forms = readPatterns(patterns)
  const layout: Record<string, unknown> = {}
  for (const form of forms) layout[form.name] = form
  layout.parse = (key: string) => {
    for (const form of forms) {
      const params = form.parse(key)
      if (params !== undefined) return { name: form.name, params }
    }
    return undefined
  }
  return Object.freeze(layout) as KeyLayout<Patterns>
}

function readPatterns(patterns: unknown): KeyPattern[] {
  const refuse = (problem: string) => new StorageError('invalid-argument', `keys: ${problem}`)
  if (typeof patterns !== 'object' || patterns === null || Object.keys(patterns).length === 0)
    throw refuse("give an object of patterns such as { photo: '{userId}/{id:uuid}' }")
  const forms: KeyPattern[] = []
  for (const [name, pattern] of Object.entries(patterns)) {
    if (!/^[A-Za-z]\w*$/.test(name) || name === 'parse')
      throw refuse(`'${name}' can't be the name of a pattern; take another word, letters and digits`)
    const form = new KeyPattern(name, pattern)
    for (const other of forms) keepApart(other, form)
    forms.push(form)
  }
  return forms
}
