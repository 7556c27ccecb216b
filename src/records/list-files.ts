import type { ListAnswer, ListRequest } from '../core/driver.ts'
import { compareKeys } from '../core/keys.ts'
import { entryName, foldEntries } from '../core/listing.ts'
import type { ListEntry } from '../core/provider.ts'
import type { SqlValue, Statement } from '../sql/engine.ts'
import { infoOf, RECORD_COLUMNS, recordFrom } from './record.ts'
import type { RecordSet } from './record-set.ts'

/** One page of live records, by an index in UTF-8 order. A folder that is folded is passed over in one step. */
export async function listPage(set: RecordSet, request: ListRequest): Promise<ListAnswer> {
  const { prefix, delimiter, startAfter, limit, signal } = request
  const entries: ListEntry[] = []
  let after = startAfter
  // Set where what follows begins behind a folded folder.
  let from: string | undefined
  for (;;) {
    const wanted = limit - entries.length + 1
    const rows = await set.query(pageStatement(set, { prefix, after, from, limit: wanted }), { signal })
    const infos = rows.map(row => infoOf(recordFrom(row)))
    const last = entries.at(-1)
    entries.push(...foldEntries(infos, prefix, delimiter, last === undefined ? startAfter : entryName(last)))
    if (entries.length > limit) return { entries: entries.slice(0, limit), done: false }
    if (rows.length < wanted) return { entries, done: true }
    after = infos.at(-1)!.key
    const folded = entries.at(-1)
    from = folded?.kind === 'prefix' ? behindPrefix(folded.prefix) : undefined
    if (folded?.kind === 'prefix' && from === undefined) return { entries, done: true }
  }
}

function pageStatement(
  set: RecordSet,
  page: { prefix: string; after: string | undefined; from: string | undefined; limit: number },
): Statement {
  const [where, ...parameters] = keysBetween(page)
  return [
    `SELECT ${RECORD_COLUMNS} FROM ${set.table('files')} WHERE state = 'live'${where} ORDER BY key LIMIT ${page.limit}`,
    ...parameters,
  ]
}

/** Conditions on `key`, each beginning with AND, that an index can answer. */
export function keysBetween(range: {
  prefix: string
  after?: string | undefined
  from?: string | undefined
}): [where: string, ...parameters: SqlValue[]] {
  const parameters: SqlValue[] = []
  let where = ''
  const add = (condition: string, value: string) => {
    where += ` AND key ${condition} ?`
    parameters.push(value)
  }
  const { prefix, after, from } = range
  const least = [prefix, from]
    .filter(text => text !== undefined && text !== '')
    .sort(order)
    .at(-1)
  if (least !== undefined) add('>=', least)
  if (after !== undefined && (least === undefined || compareKeys(after, least) >= 0)) add('>', after)
  const end = behindPrefix(prefix)
  if (end !== undefined) add('<', end)
  return [where, ...parameters]
}

const order = (a: string | undefined, b: string | undefined) => compareKeys(a!, b!)

/** The first string in UTF-8 order behind all that begin with `prefix`; undefined where there is none. */
export function behindPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, character => character.codePointAt(0)!)
  while (points.length > 0) {
    const last = points.pop()!
    if (last === 0x10ffff) continue
    // Surrogates are no characters.
    points.push(last === 0xd7ff ? 0xe000 : last + 1)
    return String.fromCodePoint(...points)
  }
  return undefined
}
