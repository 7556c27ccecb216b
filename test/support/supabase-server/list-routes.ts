import { requireBody, type Schema } from './body-schema.ts'
import { type Exchange, readJson, sendJson } from './http-exchange.ts'
import { type Direction, type Entry, listFolder, type SortColumn, visible } from './list-folder.ts'
import { listPrefix } from './list-prefix.ts'
import type { Params } from './router.ts'
import { authenticate } from './row-policies.ts'
import { listRow, type StorageState } from './storage-state.ts'

const DIRECTIONS = ['asc', 'desc'] as const
const NOTHING = { id: null, updated_at: null, created_at: null, last_accessed_at: null, metadata: null }

interface SortBy {
  column?: SortColumn
  order?: Direction
}

const sortBy = (columns: readonly string[]): Schema[string] => ({
  type: 'object',
  fields: {
    column: { type: 'string', required: true, oneOf: columns },
    order: { type: 'string', oneOf: DIRECTIONS },
  },
})

/** v1: a folder and what is in it, names relative to it. */
export async function listV1(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const body = requireBody(await readJson(exchange), {
    prefix: { type: 'string', required: true },
    limit: { type: 'integer', minimum: 1 },
    offset: { type: 'integer', minimum: 0 },
    search: { type: 'string' },
    sortBy: sortBy(['name', 'updated_at', 'created_at', 'last_accessed_at']),
  })
  const caller = authenticate(exchange.headers, state)
  const sort = (body.sortBy ?? {}) as SortBy
  const entries = listFolder(visible(state, caller, params.bucket), {
    prefix: body.prefix as string,
    search: (body.search as string | undefined) ?? '',
    limit: (body.limit as number | undefined) ?? 100,
    offset: (body.offset as number | undefined) ?? 0,
    column: sort.column ?? 'name',
    order: sort.order ?? 'asc',
  })
  sendJson(
    exchange,
    entries.map(entry => ({ name: entry.name, ...(entry.object ? listRow(entry.object) : NOTHING) })),
  )
}

/** v2: names that begin with a string, with or without folding at the slash. */
export async function listV2(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const body = requireBody(await readJson(exchange), {
    prefix: { type: 'string' },
    limit: { type: 'integer', minimum: 1 },
    cursor: { type: 'string' },
    with_delimiter: { type: 'boolean' },
    sortBy: sortBy(['name', 'updated_at', 'created_at']),
  })
  const caller = authenticate(exchange.headers, state)
  const sort = (body.sortBy ?? {}) as SortBy
  const prefix = (body.prefix as string | undefined) ?? ''
  const delimiter = body.with_delimiter === true
  const page = listPrefix(visible(state, caller, params.bucket), {
    prefix,
    delimiter,
    limit: (body.limit as number | undefined) ?? 1000,
    cursor: body.cursor as string | undefined,
    column: sort.column,
    order: sort.order,
  })
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const key = (entry: Entry) => (delimiter ? { key: entry.name.slice(folder.length) } : {})
  sendJson(exchange, {
    hasNext: page.nextCursor !== undefined,
    nextCursor: page.nextCursor,
    nextCursorKey: page.nextCursorKey,
    folders: page.entries
      .filter(entry => !entry.object)
      .map(entry => ({ ...key(entry), name: `${entry.name}/`, ...NOTHING })),
    objects: page.entries.flatMap(entry =>
      entry.object ? [{ ...key(entry), name: entry.name, ...listRow(entry.object) }] : [],
    ),
  })
}
