import { StorageError } from './errors.ts'

type Kind = 'string' | 'number' | 'boolean' | 'function' | 'object' | 'array'

/** What each option of a factory may be. Every option stands here: one that is forgotten does not compile. */
export type OptionKinds<Options> = { readonly [Name in keyof Options]-?: Kind | `${Kind} or ${Kind}` }

/**
 * Throws `invalid-argument` where `options` are no object, and for an option that `factory` does not know or that is
 * of another kind. Values are never repeated: they may be secrets.
 */
export function assertFactoryOptions<Options extends object>(
  factory: string,
  options: Options,
  kinds: OptionKinds<Options>,
  provider?: string,
): void {
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `${factory}: ${problem}`, provider === undefined ? {} : { provider })
  const known = Object.keys(kinds).join(', ')
  if (kindOf(options) !== 'object') throw refuse(`options must be an object; known are ${known}`)
  for (const name in options) {
    if (!Object.hasOwn(kinds, name)) throw refuse(`unknown option '${name}'; known are ${known}`)
    const value = options[name]
    if (value !== undefined && !kinds[name].split(' or ').includes(kindOf(value)))
      throw refuse(`${name} must be ${kinds[name].split(' or ').map(withArticle).join(' or ')}`)
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function withArticle(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
}
