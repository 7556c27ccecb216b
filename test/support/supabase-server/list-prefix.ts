/** Lists names that begin with a string, a page at a time, with or without folding at the slash. */
import { byBytes, type Direction, type Entry, type SortColumn } from './list-folder.ts'
import { failures } from './storage-failure.ts'
import type { StoredObject } from './storage-state.ts'

export interface PrefixQuery {
  prefix: string
  delimiter: boolean
  limit: number
  cursor?: string | undefined
  startAfter?: string | undefined
  column?: SortColumn | undefined
  order?: Direction | undefined
}

export interface PrefixPage {
  entries: Entry[]
  nextCursor?: string
  nextCursorKey?: string
}

interface Position {
  after?: string | undefined
  order?: Direction | undefined
  column?: SortColumn | undefined
  time?: number | undefined
}

/** Anything of the form may be forged: the cursor is neither signed nor tied to the query. */
function decodeCursor(cursor: string): Position {
  const position: Position = { order: 'asc' }
  for (const line of Buffer.from(cursor, 'base64').toString('utf8').split('\n')) {
    const [, key, value] = /^([loca]):(.*)$/.exec(line) ?? []
    if (key === undefined || value === undefined) throw failures.invalidParameter('continuation token')
    if (key === 'l') position.after = value
    else if (key === 'o') position.order = value === 'desc' ? 'desc' : 'asc'
    else if (key === 'c') position.column = value as SortColumn
    else position.time = Date.parse(value)
  }
  return position
}

function encodeCursor(position: Position): string {
  const lines = [`l:${position.after}`]
  if (position.order) lines.push(`o:${position.order}`)
  if (position.column) lines.push(`c:${position.column}`)
  if (position.time !== undefined) lines.push(`a:${new Date(position.time).toISOString()}`)
  return Buffer.from(lines.join('\n')).toString('base64')
}

interface Placed extends Entry {
  /** Where the entry stands in byte order: a folder stands where its slash does. */
  place: string
  time: number
}

const timeOf = (object: StoredObject, column: SortColumn | undefined): number =>
  column === 'created_at' ? object.createdAt : column === 'updated_at' ? object.updatedAt : 0

export function listPrefix(objects: StoredObject[], query: PrefixQuery): PrefixPage {
  const limit = Math.min(query.limit, 1000)
  const cursor = query.cursor ? decodeCursor(query.cursor) : undefined
  const order = cursor?.order ?? query.order
  const column = cursor?.column ?? query.column
  const after = cursor?.after ?? query.startAfter
  const sign = order === 'desc' ? -1 : 1
  const timed = column !== undefined && column !== 'name'
  const named = objects.filter(object => object.name.startsWith(query.prefix))
  const skips = query.delimiter && !timed && after !== undefined && after !== ''
  const past = skips ? named.filter(seek(objects, after, sign)) : named
  const rest = placed(past, query, column)
    .filter(entry => {
      if (after === undefined || after === '' || skips) return true
      const time = timed && cursor?.time !== undefined ? entry.time - cursor.time : 0
      return sign * (time || byBytes(timed ? entry.name : entry.place, after)) > 0
    })
    .sort((a, b) => sign * (a.time - b.time || byBytes(a.place, b.place)))
  const entries = rest.slice(0, limit)
  const last = entries.at(-1)
  if (rest.length <= limit || !last) return { entries }
  return {
    entries,
    nextCursor: encodeCursor({ after: last.name, order, column, time: timed ? last.time : undefined }),
    nextCursorKey: last.name,
  }
}

/**
 * Where a folded page goes on. A cursor does not say whether it named a file or a folder, so the real server
 * guesses: files that follow `a` and sort before `a/`, such as `a.txt`, are lost at the end of a page.
 */
function seek(objects: StoredObject[], after: string, sign: number): (object: StoredObject) => boolean {
  const isFolder = objects.some(object => object.name.startsWith(`${after}/`))
  if (sign < 0) return object => byBytes(object.name, isFolder ? `${after}/` : after) < 0
  return object => byBytes(object.name, isFolder ? `${after}0` : `${after}/`) >= 0
}

/** Folders carry their name without the slash, which is what a cursor over them holds. */
function placed(objects: StoredObject[], query: PrefixQuery, column: SortColumn | undefined): Placed[] {
  const entries = new Map<string, Placed>()
  const timed = column !== undefined && column !== 'name'
  for (const object of objects) {
    const slash = query.delimiter ? object.name.indexOf('/', query.prefix.length) : -1
    if (slash < 0) {
      const time = timeOf(object, column)
      entries.set(object.name, { name: object.name, place: object.name, object, time })
      continue
    }
    const place = object.name.slice(0, slash + 1)
    const known = entries.get(place)?.time ?? Number.POSITIVE_INFINITY
    const time = timed ? Math.min(known, object.createdAt) : 0
    entries.set(place, { name: place.slice(0, -1), place, time })
  }
  return [...entries.values()]
}
