import { StorageError } from '../../core/errors.ts'
import { objectFilter } from '../filters/object-filter.ts'
import type { MigrationSettings } from './checked-settings.ts'

/**
 * A destination within the source, as `s3://bucket` and `s3://bucket/backup`, makes objects of the source that the next list brings: each pass
 * would copy all copies once more.
 *
 * @throws `invalid-argument` where it is so, and nothing excludes what lies there
 */
export async function assertApart(settings: MigrationSettings): Promise<void> {
  const { from, to, filters, sourcePrefix, destinationPrefix } = settings
  const folder = pathWithin(from.location, to.location)
  if (folder === undefined) return
  const area = folder + destinationPrefix
  if (!area.startsWith(sourcePrefix) && !sourcePrefix.startsWith(area)) return
  const passes = await objectFilter({ exclude: filters.exclude })
  if (filters.exclude !== undefined && !['x', 'x/x'].some(name => passes({ key: area + name, size: 0 })))
    return
  throw new StorageError(
    'invalid-argument',
    `migrate: the destination lies within the source, so that copies would be copied again; exclude '${folder}**', or take another place`,
    { operation: 'migrate' },
  )
}

/** What keys of `outer` begin with that lie in `inner`, or undefined. The same place is none: there, keys differ. */
function pathWithin(outer: string, inner: string): string | undefined {
  const [one, other] = [plain(outer), plain(inner)]
  return other !== one && other.startsWith(one) ? other.slice(one.length) : undefined
}

/** A folder is one part of its location, in which slashes are escaped; what may follow is the address of its URLs. */
function plain(location: string): string {
  const [, folder, rest = ''] = /^file:\/\/([^/]+)\/(?:https?%3A[^/]*\/)?(.*)$/s.exec(location) ?? []
  return folder === undefined ? location : `file://${decodeURIComponent(folder)}/${rest}`
}
