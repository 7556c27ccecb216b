import { invalidArgument, type StorageError, unsupported } from '../core/errors.ts'
import type { InvalidationTarget } from '../core/invalidator.ts'
import { ANY_KEY, keyProblem } from '../core/keys.ts'
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

/** Visible ASCII, as clients send a URL; without the fragment, and without what URL parsers take for a slash. */
const PATH = /^\/[\x21-\x22\x24-\x5b\x5d-\x7e]*$/
const TAG = /^[\x20-\x7e]+$/

/** @throws `invalid-argument` for what is no list of targets */
export function assertTargets(targets: readonly InvalidationTarget[], name: string): void {
  const refuse = (problem: string) => invalidArgument('invalidate', name, problem)
  if (!Array.isArray(targets)) throw refuse('targets must be an array')
  for (const [at, target] of targets.entries()) {
    if (typeof target !== 'object' || target === null) throw refuse(`target ${at} must be an object`)
    const { key, paths, tags, prefixes = [], reference = '' } = target as InvalidationTarget
    if (typeof key !== 'string') throw refuse(`target ${at}: key must be a string`)
    if (typeof reference !== 'string') throw refuse(`target ${at}: reference must be a string`)
    for (const [field, list] of Object.entries({ paths, tags, prefixes })) {
      if (!Array.isArray(list) || !list.every(value => typeof value === 'string'))
        throw refuse(`target ${at}: ${field} must be an array of strings`)
    }
  }
}

/**
 * What is to be sent for a target. A part that can't be taken is the target's own error: neither its other parts nor
 * its neighbours are kept from being purged.
 */
export function purgesOf(
  target: InvalidationTarget,
  forms: PurgeForms,
  keyPath: PurgeSettings['keyPath'],
): TargetPurges {
  const keyFault = keyProblem(target.key, ANY_KEY)
  const urls = [...(keyFault === undefined ? keyPathsOf(target.key, keyPath) : []), ...target.paths]
  const places: Purge[] = [
    ...urls.map(path => asPurge(path, forms)),
    ...(target.prefixes ?? []).map(value => ({ kind: 'prefix', value }) as const),
  ]
  const wanted: Purge[] = [
    ...places,
    // Tags and paths are two names of the same answers: where there are no tags, paths will do.
    ...(forms.has('tag') || places.length === 0 ? target.tags : []).map(
      value => ({ kind: 'tag', value }) as const,
    ),
  ]
  const faults = wanted.map(purge => fault(purge, forms))
  const purges = wanted.filter((_, at) => faults[at] === undefined)
  const key =
    keyFault === undefined ? undefined : invalidArgument('invalidate', forms.name, `the key ${keyFault}`)
  const error = key ?? faults.find(one => one !== undefined)
  return error === undefined ? { purges } : { purges, error }
}

/** The text is never in the message: a path with a query may hold a signature. */
function fault(purge: Purge, forms: PurgeForms): StorageError | undefined {
  const { name } = forms
  const { kind, value } = purge
  if (!forms.has(kind)) {
    const advice =
      kind === 'prefix' ? 'hand out fewer variants, name each of them, or use tags' : 'name paths'
    return unsupported('invalidate', name, `${name}, as it is set up, purges no ${kind}: ${advice}`)
  }
  const form = kind === 'tag' ? TAG : PATH
  const rule = kind === 'tag' ? 'must be printable ASCII' : 'must begin with / and be percent-encoded'
  const problem = form.test(value) ? forms.problem?.(purge) : rule
  return problem === undefined
    ? undefined
    : invalidArgument('invalidate', name, `a ${kind} of the target ${problem}`)
}

function asPurge(path: string, forms: PurgeForms): Purge {
  const prefix = forms.wildcardOf?.(path)
  return prefix === undefined ? { kind: 'url', value: path } : { kind: 'prefix', value: prefix }
}

function keyPathsOf(key: string, keyPath: PurgeSettings['keyPath']): readonly string[] {
  if (keyPath === false) return []
  const given = keyPath(key)
  return (Array.isArray(given) ? given : [given]).map(String)
}
