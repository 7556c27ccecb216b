import { invalidArgument, type StorageError, unsupported } from '../core/errors.ts'
import type { InvalidationTarget } from '../core/invalidator.ts'
import { ANY_KEY, assertKey } from '../core/keys.ts'
import type { PurgeSettings } from './purge-settings.ts'

/** What a purge names: one URL by its path, every URL that begins with a path, all answers with a tag. */
export type PurgeKind = 'url' | 'prefix' | 'tag'

export interface Purge {
  readonly kind: PurgeKind
  readonly value: string
}

/** What a vendor takes of a target. */
export interface PurgeForms {
  readonly name: string
  /** The kinds the vendor has. */
  has(kind: PurgeKind): boolean
  /** The prefix as which the vendor reads a path with a `*`, where it does. */
  wildcardOf?(path: string): string | undefined
  /** Why the vendor can't take `value`, where it can't. */
  problem?(purge: Purge): string | undefined
}

/** The parts of one target, and what speaks against one of them, where something does. */
export interface TargetPurges {
  readonly purges: readonly Purge[]
  readonly error?: StorageError
}

/** RFC 3986: what a path with a query may hold. Anything else would make another URL of it on its way. */
const PATH = /^\/(?:[\w.~!$&'()*+,;=:@/?-]|%[\dA-Fa-f]{2})*$/
const TAG = /^[\x20-\x7e]+$/

/** @throws `invalid-argument`, `invalid-key` for what is no list of targets */
export function assertTargets(targets: readonly InvalidationTarget[], name: string): void {
  const refuse = (problem: string) => invalidArgument('invalidate', name, problem)
  if (!Array.isArray(targets)) throw refuse('targets must be an array')
  for (const [at, target] of targets.entries()) {
    if (typeof target !== 'object' || target === null) throw refuse(`target ${at} must be an object`)
    const { key, paths, tags, prefixes = [], reference } = target as InvalidationTarget
    assertKey(key, ANY_KEY, 'invalidate', name)
    // A path with a query may hold a signature: the place is named, never the text.
    for (const [field, list, form, must] of [
      ['paths', paths, PATH, 'begin with / and be percent-encoded'],
      ['prefixes', prefixes, PATH, 'begin with / and be percent-encoded'],
      ['tags', tags, TAG, 'be printable ASCII'],
    ] as const) {
      if (!Array.isArray(list)) throw refuse(`target ${at}: ${field} must be an array of strings`)
      const wrong = list.findIndex(value => typeof value !== 'string' || !form.test(value))
      if (wrong !== -1) throw refuse(`target ${at}: ${field}[${wrong}] must ${must}`)
    }
    if (reference !== undefined && typeof reference !== 'string')
      throw refuse(`target ${at}: reference must be a string`)
  }
}

/** A part that the vendor can't take does not keep the other parts from being purged. */
export function purgesOf(
  target: InvalidationTarget,
  forms: PurgeForms,
  keyPath: PurgeSettings['keyPath'],
): TargetPurges {
  const urls = [...keyPathsOf(target.key, keyPath, forms.name), ...target.paths]
  const prefixes = target.prefixes ?? []
  const wanted: Purge[] = [
    ...urls.map(path => asPurge(path, forms)),
    ...prefixes.map(value => ({ kind: 'prefix', value }) as const),
    ...(forms.has('tag') ? target.tags.map(value => ({ kind: 'tag', value }) as const) : []),
  ]
  const purges = wanted.filter(one => forms.has(one.kind) && forms.problem?.(one) === undefined)
  const error = complaint(target, wanted, forms)
  return error === undefined ? { purges } : { purges, error }
}

function complaint(
  target: InvalidationTarget,
  wanted: readonly Purge[],
  forms: PurgeForms,
): StorageError | undefined {
  for (const purge of wanted) {
    if (!forms.has(purge.kind)) {
      const what = 'can purge no prefix; hand out fewer variants, name each of them, or use tags'
      return unsupported('invalidate', forms.name, `${forms.name} ${what}`)
    }
    const problem = forms.problem?.(purge)
    if (problem !== undefined)
      return invalidArgument('invalidate', forms.name, `a ${purge.kind} of the target ${problem}`)
  }
  // Tags and paths are two names of the same answers: paths alone will do, nothing at all will not.
  if (wanted.length === 0 && target.tags.length > 0) {
    const what = 'is set up without tags, and the target has nothing else'
    return unsupported('invalidate', forms.name, `${forms.name} ${what}`)
  }
  return undefined
}

function asPurge(path: string, forms: PurgeForms): Purge {
  const prefix = forms.wildcardOf?.(path)
  return prefix === undefined ? { kind: 'url', value: path } : { kind: 'prefix', value: prefix }
}

function keyPathsOf(key: string, keyPath: PurgeSettings['keyPath'], name: string): readonly string[] {
  if (keyPath === false) return []
  const given: unknown = keyPath(key)
  const paths = Array.isArray(given) ? given : [given]
  if (paths.every(path => typeof path === 'string' && PATH.test(path))) return paths
  throw invalidArgument(
    'invalidate',
    name,
    'keyPath must give paths that begin with / and are percent-encoded',
  )
}
