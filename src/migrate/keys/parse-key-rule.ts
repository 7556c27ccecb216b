import { StorageError } from '../../core/errors.ts'
import type { KeyRule } from './key-rules.ts'

const FORMS =
  'prefix:old/=new/, regex:^(\\d+)/=archive/$1/, layout:users/{id}/{name}=>{id}/{name} or drop:tmp/'

/**
 * A rule as the command line has it: `prefix:old/=new/`, `regex:^(\d+)/=archive/$1/`, `layout:users/{id}=>{id}`,
 * `drop:tmp/`. Old and new stand on the sides of `=>`, or of `=` where that occurs once.
 *
 * @throws `invalid-argument`, with the forms that there are
 *
 * @example
 * ```ts
 * const conversion = keyRules(['prefix:avatars/=images/', 'drop:tmp/'].map(parseKeyRule))
 * ```
 */
export function parseKeyRule(text: string): KeyRule {
  const [, kind = '', rest = ''] = /^(\w+):(.*)$/s.exec(text) ?? []
  if (kind === 'drop') return { drop: rest }
  if (kind !== 'prefix' && kind !== 'regex' && kind !== 'layout')
    throw refuse(text, `must begin with its kind: ${FORMS}`)
  const [old, to] = sides(text, rest)
  if (kind === 'prefix') return { prefix: old, to }
  if (kind === 'layout') return { layout: old, to }
  try {
    return { match: new RegExp(old, 'u'), to }
  } catch (error) {
    throw refuse(text, `holds a regular expression that can't be read: ${(error as Error).message}`)
  }
}

function sides(text: string, rest: string): [old: string, to: string] {
  const separator = rest.includes('=>') ? '=>' : '='
  const parts = rest.split(separator)
  if (parts.length === 2) return parts as [string, string]
  throw refuse(
    text,
    parts.length < 2
      ? `must say what keys become: ${FORMS}`
      : separator === '='
        ? 'has more than one =; write => between old and new'
        : 'has more than one =>',
  )
}

function refuse(text: string, problem: string): StorageError {
  return new StorageError('invalid-argument', `the key rule ${JSON.stringify(text)} ${problem}`)
}
