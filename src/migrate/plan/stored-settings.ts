import { StorageError } from '../../core/errors.ts'
import { isElsewhere, shownLocation } from '../../core/location.ts'
import type { Manifest } from '../manifest.ts'
import type { MigrationSettings } from './checked-settings.ts'

const SETTINGS = [
  'source',
  'destination',
  'rules',
  'key conversion',
  'transform',
  'attributes',
  'prefix',
  'filters',
] as const

type Settings = Record<(typeof SETTINGS)[number], string>

const PLACES: ReadonlySet<string> = new Set(['source', 'destination'])

/** Those that are many. */
const OTHER: ReadonlySet<string> = new Set(['rules', 'attributes', 'filters'])

/** What must stay the same while a migration goes on, as text. */
function storedSettings(settings: MigrationSettings): Settings {
  const { from, to, rules, filters, keys, transform, attributes } = settings
  const { include, exclude, minSizeBytes, maxSizeBytes, modifiedAfter, modifiedBefore } = filters
  const shown = { include: include?.map(String), exclude: exclude?.map(String), minSizeBytes, maxSizeBytes }
  return {
    source: from.location,
    destination: to.location,
    rules,
    'key conversion': keys === undefined ? 'none' : 'a function',
    transform: transform === undefined ? 'none' : 'a function',
    attributes: attributes === undefined ? 'none' : 'a function',
    prefix: settings.sourcePrefix,
    filters: JSON.stringify({ ...shown, modifiedAfter, modifiedBefore }),
  }
}

/**
 * Sees to it that a migration goes on as it began. Before the first object has arrived it may be planned anew with whatever is
 * given.
 *
 * @throws `conflict`, naming what differs
 */
export async function keepSettings(manifest: Manifest, settings: MigrationSettings): Promise<void> {
  if (await assertSettings(manifest, settings)) return
  await manifest.setSetting('settings', JSON.stringify(storedSettings(settings)))
}

/**
 * For what goes by an earlier plan: `keepSettings` that keeps nothing.
 *
 * @returns whether a plan has been made of the very same
 * @throws `conflict`, naming what differs from what the migration has begun with
 */
export async function assertSettings(manifest: Manifest, settings: MigrationSettings): Promise<boolean> {
  const given = storedSettings(settings)
  const before = await manifest.setting('settings')
  if (before === JSON.stringify(given)) return true
  if (before === undefined || !(await hasBegun(manifest))) return false
  const known = JSON.parse(before) as Settings
  const differing = SETTINGS.filter(name =>
    PLACES.has(name) ? isElsewhere(known[name], given[name]) : known[name] !== given[name],
  )
  if (differing.length === 0) return true
  const problems = differing.map(name => {
    const places = `: ${shownLocation(known[name])}, and now it is ${shownLocation(given[name])}`
    return `${OTHER.has(name) ? 'other' : 'another'} ${name}${PLACES.has(name) ? places : ''}`
  })
  const hint = differing.some(name => PLACES.has(name) && known[name].startsWith('file:'))
    ? ' (a relative file: URL is taken from the folder in which the command runs)'
    : ''
  throw new StorageError(
    'conflict',
    `migrate: '${manifest.name}' has begun with ${problems.join('; ')}${hint}; go on with the same, or begin another migration under a new name`,
    { operation: 'migrate', retryable: false },
  )
}

/** Whether an object may lie at the destination because of this migration. */
export async function hasBegun(manifest: Manifest): Promise<boolean> {
  for await (const _row of manifest.rows({ states: ['copied'] })) return true
  for await (const row of manifest.rows({ states: ['planned', 'failed', 'refused', 'gone'] }))
    if (row.progress !== undefined || row.destinationChecksum !== undefined) return true
  return false
}
