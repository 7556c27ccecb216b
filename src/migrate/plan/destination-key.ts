import { StorageError } from '../../core/errors.ts'
import { keyProblem } from '../../core/keys.ts'
import { objectFilter } from '../filters/object-filter.ts'
import type { SourceObject } from '../migrate-options.ts'
import type { RefusalReason } from '../migration-plan.ts'
import type { MigrationSettings } from './checked-settings.ts'

/** Where an object goes, or why it does not. */
export interface Destination {
  /** Empty where there is none. */
  readonly key: string
  readonly refusal?: { readonly reason: RefusalReason; readonly message: string }
}

type Settings = Pick<MigrationSettings, 'filters' | 'keys' | 'to' | 'destinationPrefix'>

/**
 * Tells for each object of the source where it goes; undefined where a filter or the conversion leaves it out.
 */
export async function destinationsOf(
  settings: Settings,
): Promise<(object: SourceObject) => Destination | undefined> {
  const isMoved = await objectFilter(settings.filters)
  return object => (isMoved(object) ? destinationOf(settings, object) : undefined)
}

function destinationOf(settings: Settings, object: SourceObject): Destination | undefined {
  const { to, destinationPrefix } = settings
  const converted = convert(settings, object)
  if (converted === undefined) return undefined
  if (typeof converted !== 'string') return converted
  const refuse = (reason: RefusalReason, problem: string): Destination => ({
    key: converted,
    refusal: { reason, message: `${JSON.stringify(converted)} ${problem}` },
  })
  const problem = keyProblem(converted, to.capabilities.keys)
  if (problem !== undefined)
    // What is no text at all can't be stored even in a manifest.
    return converted.isWellFormed() && !converted.includes('\0')
      ? refuse('invalid-key', problem)
      : { ...refuse('invalid-key', problem), key: '' }
  if (!converted.startsWith(destinationPrefix))
    return refuse(
      'invalid-key',
      `does not begin with destinationPrefix, ${JSON.stringify(destinationPrefix)}`,
    )
  const { maxObjectBytes } = to.capabilities
  if (maxObjectBytes !== undefined && object.size > maxObjectBytes)
    return refuse('too-large', `is ${object.size} bytes long; the destination takes ${maxObjectBytes}`)
  return { key: converted }
}

/** The key, or a refusal: one odd key must not hide what becomes of the others. */
function convert({ keys }: Settings, object: SourceObject): string | Destination | undefined {
  if (keys === undefined) return object.key
  const refuse = (message: string): Destination => ({ key: '', refusal: { reason: 'invalid-key', message } })
  let converted: unknown
  try {
    converted = keys(object.key, object)
  } catch (error) {
    return refuse(`keys threw for it: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (converted === undefined || typeof converted === 'string') return converted
  return refuse(
    converted instanceof Promise
      ? 'keys returned a promise; it must return the key itself'
      : `keys returned ${converted === null ? 'null' : `a ${typeof converted}`}; it must return a key, or undefined to leave the object out`,
  )
}

/** The key as a destination that folds case or Unicode forms knows it; undefined where it folds nothing. */
export function placeOf(
  { to, destinationIgnoresCase }: Pick<MigrationSettings, 'to' | 'destinationIgnoresCase'>,
  key: string,
): string | undefined {
  const foldsForms = !to.capabilities.keys.normalizationSensitive
  if (!destinationIgnoresCase && !foldsForms) return undefined
  const cased = destinationIgnoresCase ? key.toUpperCase().toLowerCase() : key
  return foldsForms ? cased.normalize('NFD') : cased
}

/** @throws `invalid-argument` for a conversion that answers otherwise when it is asked again */
export function assertSteady(
  { keys }: Pick<MigrationSettings, 'keys'>,
  object: SourceObject,
  { key, refusal }: Destination,
): void {
  if (keys === undefined || refusal !== undefined || keys(object.key, object) === key) return
  throw new StorageError(
    'invalid-argument',
    `migrate: keys gave two answers for ${JSON.stringify(object.key)}; it must always give the same one`,
    { operation: 'migrate', key: object.key },
  )
}
