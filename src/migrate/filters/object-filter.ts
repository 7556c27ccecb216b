import { StorageError } from '../../core/errors.ts'
import type { KeyFilter, ObjectFilters, SourceObject } from '../migrate-options.ts'

type Matches = (key: string) => boolean

/**
 * Whether an object is moved. A glob is held against the whole key, as shells do: `*` and `?` stop at a slash, `**` does not,
 * `{a,b}` and `[a-c]` are alternatives; a dot at the beginning of a name is a character like any other, and case counts.
 * A regular expression matches anywhere in the key unless it is anchored. An object of unknown age passes no limit of
 * age.
 */
export async function objectFilter(filters: ObjectFilters): Promise<(object: SourceObject) => boolean> {
  const include = await matchers(filters.include)
  const exclude = await matchers(filters.exclude)
  const { prefix = '', minSizeBytes = 0, maxSizeBytes = Number.POSITIVE_INFINITY } = filters
  const after = filters.modifiedAfter?.getTime()
  const before = filters.modifiedBefore?.getTime()
  return ({ key, size, lastModified }) => {
    if (!key.startsWith(prefix) || size < minSizeBytes || size > maxSizeBytes) return false
    const modified = lastModified?.getTime()
    if (after !== undefined && !(modified !== undefined && modified > after)) return false
    if (before !== undefined && !(modified !== undefined && modified < before)) return false
    if (include !== undefined && !include.some(matches => matches(key))) return false
    return exclude === undefined || !exclude.some(matches => matches(key))
  }
}

async function matchers(filters: readonly KeyFilter[] | undefined): Promise<Matches[] | undefined> {
  if (filters === undefined) return undefined
  const hasGlobs = filters.some(filter => typeof filter === 'string')
  const picomatch = hasGlobs ? (await import('picomatch')).default : undefined
  return filters.map(filter => {
    if (typeof filter === 'string') return globMatcher(filter, picomatch!)
    // A sticky or global expression remembers where it was: the next key would be asked from there.
    const pattern = new RegExp(filter.source, filter.flags.replace(/[gy]/g, ''))
    return key => pattern.test(key)
  })
}

function globMatcher(glob: string, picomatch: typeof import('picomatch')): Matches {
  // Keys are no paths of this machine: a backslash in one is a character.
  const pattern = picomatch.makeRe(glob, { dot: true, windows: false })
  if (!(pattern instanceof RegExp))
    throw new StorageError('invalid-argument', `migrate: the glob ${JSON.stringify(glob)} can't be read`, {
      operation: 'migrate',
    })
  return key => key === glob || pattern.test(key)
}
