import { StorageError } from '../../core/errors.ts'
import { KeyPattern } from '../../core/key-pattern.ts'
import type { KeyConversion } from '../migrate-options.ts'

/**
 * One step of a conversion.
 *
 * - `prefix`: keys that begin with it begin with `to` instead.
 * - `match`: what the expression matches of a key becomes `to`, with `$1`, `$<name>` and `$&` as in `String.replace`: only the
 *   match is replaced, so anchor it with `^`. Each key is held against it: one whose time explodes with the key's length
 *   (nested quantifiers such as `(a+)+$`) can hold up the plan for ever.
 * - `layout`: keys of a pattern as `keys` of the main entry has it (`users/{id:uuid}/{name}`) get the form of `to`, which may
 *   use its parameters in another order, or leave some out.
 * - `drop`: keys that begin with a text, or match an expression, are left out; `''` drops all that no rule before took.
 */
export type KeyRule =
  | { readonly prefix: string; readonly to: string }
  | { readonly match: RegExp; readonly to: string }
  | { readonly layout: string; readonly to: string }
  | { readonly drop: string | RegExp }

/** The new key; `undefined`: the rule does not take this key; `null`: the object is left out. */
type Step = (key: string) => string | null | undefined

/**
 * A conversion by rules: the first that takes a key decides, and a key that none takes stays as it is.
 *
 * @throws `invalid-argument` for a rule that can't be followed
 *
 * @example
 * ```ts
 * const conversion = keyRules([
 *   { prefix: 'avatars/', to: 'images/avatars/' },
 *   { layout: 'users/{id}/{name}', to: '{id}/{name}' },
 *   { match: /^(\d{4})-(\d\d)\//, to: 'archive/$1/$2/' },
 *   { drop: 'tmp/' },
 * ])
 * ```
 */
export function keyRules(rules: readonly KeyRule[]): KeyConversion {
  if (!Array.isArray(rules) || rules.length === 0)
    throw refuse("give an array of rules such as [{ prefix: 'old/', to: 'new/' }]")
  const steps = rules.map(stepOf)
  return key => {
    for (const step of steps) {
      const converted = step(key)
      if (converted !== undefined) return converted ?? undefined
    }
    return key
  }
}

function stepOf(rule: KeyRule, index: number): Step {
  const wrong = (problem: string) => refuse(`rule ${index + 1} ${problem}`)
  if (typeof rule !== 'object' || rule === null) throw wrong('must be an object')
  const kinds = ['prefix', 'match', 'layout', 'drop'].filter(kind => Object.hasOwn(rule, kind))
  if (kinds.length !== 1) throw wrong('must have one of prefix, match, layout and drop')
  for (const name in rule)
    if (name !== kinds[0] && (name !== 'to' || kinds[0] === 'drop')) throw wrong(`can't have '${name}'`)
  if ('drop' in rule) return dropStep(rule.drop, wrong)
  if (typeof rule.to !== 'string') throw wrong('must say what keys become, as to')
  if ('prefix' in rule) return prefixStep(rule.prefix, rule.to, wrong)
  if ('match' in rule) return matchStep(rule.match, rule.to, wrong)
  return layoutStep(rule.layout, rule.to)
}

type Wrong = (problem: string) => StorageError

function prefixStep(prefix: string, to: string, wrong: Wrong): Step {
  if (typeof prefix !== 'string') throw wrong('must have a string as prefix')
  return key => (key.startsWith(prefix) ? to + key.slice(prefix.length) : undefined)
}

function matchStep(match: RegExp, to: string, wrong: Wrong): Step {
  if (!(match instanceof RegExp)) throw wrong('must have a regular expression as match')
  const pattern = withoutMemory(match)
  return key => (key.search(pattern) < 0 ? undefined : key.replace(pattern, to))
}

function layoutStep(layout: string, to: string): Step {
  const from = new KeyPattern('layout', layout)
  // What a parameter takes is said once, in `layout`.
  const declared = new Map(from.segments.flat().flatMap(piece => declaration(piece)))
  const target = new KeyPattern(
    'to',
    to.replace(/\{(\w+)\}/g, (text, name: string) => declared.get(name) ?? text),
  )
  const used = target.segments.flat().flatMap(piece => (typeof piece === 'string' ? [] : [piece.name]))
  const unknown = used.find(name => !declared.has(name))
  if (unknown !== undefined)
    throw refuse(`{${unknown}} of ${JSON.stringify(to)} is no parameter of ${JSON.stringify(layout)}`)
  return key => {
    const params = from.parse(key)
    if (params === undefined) return undefined
    return target.build(Object.fromEntries(used.map(name => [name, params[name]])))
  }
}

function declaration(piece: KeyPattern['segments'][number][number]): [string, string][] {
  if (typeof piece === 'string') return []
  const { name, kind, words } = piece
  if (kind === 'text') return [[name, `{${name}}`]]
  return [[name, kind === 'rest' ? `{${name}...}` : `{${name}:${kind === 'words' ? words.join('|') : kind}}`]]
}

function dropStep(drop: string | RegExp, wrong: Wrong): Step {
  if (typeof drop === 'string') return key => (key.startsWith(drop) ? null : undefined)
  if (!(drop instanceof RegExp)) throw wrong('must have a string or a regular expression as drop')
  const pattern = withoutMemory(drop)
  return key => (key.search(pattern) < 0 ? undefined : null)
}

/** A sticky expression begins where it ended the last time: the same key must give the same answer. */
function withoutMemory({ source, flags }: RegExp): RegExp {
  return new RegExp(source, flags.replace('y', ''))
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `keyRules: ${problem}`)
}
