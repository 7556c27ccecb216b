import type { ListAnswer, ListRequest } from '../../core/driver.ts'
import { compareKeys } from '../../core/keys.ts'
import { foldEntries } from '../../core/listing.ts'
import type { ListEntry, ObjectInfo, StorageProvider } from '../../core/provider.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { infoOf } from './info-of.ts'
import { objectRows } from './object-rows.ts'
import type { PhaseLease } from './phase-lease.ts'
import { isOnSecond } from './read-either.ts'

/**
 * One page of what is on either side: what only the second has counts where it may have it and nothing says that it was deleted. Under a
 * delimiter, too, each object is looked at, since a folder of deleted ones is none.
 */
export async function listBoth(
  set: CutOverSet,
  lease: PhaseLease,
  request: ListRequest,
): Promise<ListAnswer> {
  const { rules } = await lease.begin('list', false)
  const { prefix, delimiter, startAfter, limit, signal } = request
  const after = request.cursor ?? startAfter
  const page = (store: StorageProvider) => {
    const list = store.list({ prefix, ...(!rules.usesSecond && delimiter && { delimiter }) })
    return list.page({ limit, ...(after !== undefined && { after }), ...(signal && { signal }) })
  }
  const firstPage = page(set.side(rules.first))
  if (!rules.usesSecond) {
    const { items, next } = await firstPage
    const entries = items.map(item => (item.kind === 'object' ? infoOf(item) : item))
    return { entries, done: next === undefined, ...(next !== undefined && { cursor: next }) }
  }
  const [first, second] = await Promise.all([firstPage, page(set.side(rules.second))])
  // Behind the end of the shorter page nothing is known yet.
  const ends = [first.next, second.next].filter(next => next !== undefined).sort(compareKeys)
  const isKnown = ({ key }: ObjectInfo) => ends[0] === undefined || compareKeys(key, ends[0]) <= 0
  const objects = new Map(
    objectsOf(first.items)
      .filter(isKnown)
      .map(info => [info.key, info]),
  )
  const others = objectsOf(second.items).filter(info => isKnown(info) && !objects.has(info.key))
  const rows = await objectRows(
    set,
    others.map(({ key }) => key),
  )
  for (const info of others) if (isOnSecond(rules, info.key, rows.get(info.key))) objects.set(info.key, info)
  const infos = [...objects.values()].sort((a, b) => compareKeys(a.key, b.key)).map(info => infoOf(info))
  return {
    entries: [...foldEntries(infos, prefix, delimiter, startAfter)],
    done: ends[0] === undefined,
    ...(ends[0] !== undefined && { cursor: ends[0] }),
  }
}

function objectsOf(items: readonly ListEntry[]): ObjectInfo[] {
  return items.flatMap(item => {
    if (item.kind !== 'object') return []
    const { kind: _, ...info } = item
    return [info]
  })
}
