import { StorageError } from '../../core/errors.ts'
import type { Manifest } from '../manifest.ts'
import type { MigrationSettings } from './checked-settings.ts'

/** What must stay the same while a migration goes on, as text. */
function storedSettings(settings: MigrationSettings): Record<string, string> {
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
  const given = storedSettings(settings)
  const text = JSON.stringify(given)
  const before = await manifest.setting('settings')
  if (before === text) return
  if (before !== undefined && (await hasBegun(manifest))) {
    const known = JSON.parse(before) as Record<string, string>
    const differing = Object.keys(given).filter(name => given[name] !== known[name])
    throw new StorageError(
      'conflict',
      `migrate: '${manifest.name}' has begun with another ${differing.join(', ')}; go on with the same, or begin another migration under a new name`,
      { operation: 'migrate', retryable: false },
    )
  }
  await manifest.setSetting('settings', text)
}

/** Whether an object may lie at the destination because of this migration. */
export async function hasBegun(manifest: Manifest): Promise<boolean> {
  for await (const _row of manifest.rows({ states: ['copied'] })) return true
  for await (const row of manifest.rows({ states: ['planned', 'failed', 'refused', 'gone'] }))
    if (row.progress !== undefined || row.destinationChecksum !== undefined) return true
  return false
}
