import { StorageError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/provider.ts'
import type { AttributeRewrite } from '../migrate-options.ts'

/** A value for all objects, or by what keys end with: `{ '.html': 'no-cache', '': 'public, max-age=31536000' }`. The longest end decides. */
export type ByEnding = string | Readonly<Record<string, string>>

/** What becomes of attributes on arrival. All others stay as they are. */
export interface AttributeRules {
  contentType?: ByEnding
  cacheControl?: ByEnding
  contentDisposition?: ByEnding
  contentEncoding?: ByEnding
  contentLanguage?: ByEnding
  /** Added to what an object has; a name that it has gets the new value. */
  metadata?: Readonly<Record<string, string>>
}

const HEADERS = [
  'contentType',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
] as const

/**
 * An `attributes` function that sets some and keeps the others.
 *
 * @throws `invalid-argument` for a rule that there is not
 *
 * @example
 * ```ts
 * const attributes = rewriteAttributes({
 *   cacheControl: { '.html': 'no-cache', '': 'public, max-age=31536000, immutable' },
 *   metadata: { origin: 'supabase' },
 * })
 * ```
 */
export function rewriteAttributes(rules: AttributeRules): AttributeRewrite {
  for (const name in rules)
    if (name !== 'metadata' && !(HEADERS as readonly string[]).includes(name))
      throw new StorageError(
        'invalid-argument',
        `rewriteAttributes: unknown attribute '${name}'; known are ${HEADERS.join(', ')}, metadata`,
      )
  const given = HEADERS.flatMap(name => {
    const rule = rules[name]
    return rule === undefined ? [] : [[name, valueFor(rule)] as const]
  })
  // Stores keep names in lower case: `Origin` must not stand beside the `origin` that an object has.
  const added = Object.entries(rules.metadata ?? {}).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  )
  return info => {
    const kept = attributesOf(info)
    for (const [name, value] of given) {
      const found = value(info.key)
      if (found !== undefined) kept[name] = found
    }
    if (added.length > 0) kept.metadata = { ...info.metadata, ...Object.fromEntries(added) }
    return kept
  }
}

/** The value of a rule for a key; undefined where the rule says nothing of it. */
export function valueFor(rule: ByEnding): (key: string) => string | undefined {
  if (typeof rule === 'string') return () => rule
  const endings = Object.entries(rule).sort(([a], [b]) => b.length - a.length)
  return key => endings.find(([ending]) => key.endsWith(ending))?.[1]
}

type Kept = { -readonly [Name in (typeof HEADERS)[number] | 'metadata']?: ObjectInfo[Name] } & {
  metadata?: Record<string, string>
}

function attributesOf(info: ObjectInfo): Kept {
  const kept: Kept = {}
  for (const name of HEADERS) if (info[name] !== undefined) kept[name] = info[name]
  if (info.metadata !== undefined) kept.metadata = { ...info.metadata }
  return kept
}

/**
 * A value as the command line has it: `no-cache` for all, or `.html=no-cache` for keys that end so; several together.
 *
 * @throws `invalid-argument` where two say different things of the same keys
 */
export function parseByEnding(texts: readonly string[]): ByEnding {
  const rule: Record<string, string> = {}
  for (const text of texts) {
    const [, ending = '', value = text] = /^(\.[^=\s]+)=(.*)$/s.exec(text) ?? []
    if (Object.hasOwn(rule, ending) && rule[ending] !== value)
      throw new StorageError(
        'invalid-argument',
        `${JSON.stringify(text)} and ${JSON.stringify(rule[ending])} are two values for ${ending === '' ? 'all keys' : `keys that end with ${ending}`}`,
      )
    rule[ending] = value
  }
  return rule
}
