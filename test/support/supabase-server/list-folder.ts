/** Lists one folder as the first version of the API does: names relative to it, without regard to case. */

import { type Caller, may } from './row-policies.ts'
import type { Bucket, StorageState, StoredObject } from './storage-state.ts'

export type SortColumn = 'name' | 'created_at' | 'updated_at' | 'last_accessed_at'
export type Direction = 'asc' | 'desc'

/** A folder is what several names share up to a slash: it has a name and nothing else. */
export type Entry = { name: string; object?: StoredObject }

/** The database's "C" order: by bytes. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const columnOf = (object: StoredObject, column: SortColumn): number =>
  column === 'created_at'
    ? object.createdAt
    : column === 'updated_at'
      ? object.updatedAt
      : object.lastAccessedAt

export function visible(state: StorageState, caller: Caller, bucketId: Bucket['id']): StoredObject[] {
  return state.in(bucketId).filter(object => may(state, caller, 'select', bucketId, object))
}

export interface FolderQuery {
  prefix: string
  search: string
  limit: number
  offset: number
  column: SortColumn
  order: Direction
}

/** One folder, matched without regard to case; `search` is how the names in it begin. */
export function listFolder(objects: StoredObject[], query: FolderQuery): Entry[] {
  const folder = query.prefix === '' || query.prefix.endsWith('/') ? query.prefix : `${query.prefix}/`
  const start = (folder + query.search).toLowerCase()
  const entries = new Map<string, Entry>()
  for (const object of objects) {
    if (!object.name.toLowerCase().startsWith(start)) continue
    const rest = object.name.slice(folder.length)
    const slash = rest.indexOf('/')
    if (slash < 0) entries.set(`file ${rest}`, { name: rest, object })
    else if (slash > 0) entries.set(`folder ${rest.slice(0, slash)}`, { name: rest.slice(0, slash) })
  }
  const sign = query.order === 'desc' ? -1 : 1
  const byName = (a: Entry, b: Entry) =>
    sign * (byBytes(a.name.toLowerCase(), b.name.toLowerCase()) || byBytes(a.name, b.name))
  const { column } = query
  const byColumn = (a: Entry, b: Entry) => {
    // Folders have no time: PostgreSQL puts nulls last, and first when the order is turned.
    if (!a.object || !b.object) return sign * (Number(!a.object) - Number(!b.object)) || byName(a, b)
    return sign * (columnOf(a.object, column) - columnOf(b.object, column)) || byName(a, b)
  }
  return [...entries.values()]
    .sort(column === 'name' ? byName : byColumn)
    .slice(query.offset, query.offset + query.limit)
}
