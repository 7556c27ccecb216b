import { entryName, type Listing, listingOf } from '../../../src/core/listing.ts'
import type { ListEntry } from '../../../src/core/results.ts'
import { changedList, everyEntry, type Mutant, wrong } from './mutant.ts'

export const LISTING_MUTANTS: readonly Mutant[] = [
  wrong('stops at 1,000 objects', ['list/1001-objects'], inner => ({
    list: options => changedList(inner.list(options), entries => entries.slice(0, 1000)),
  })),
  wrong('lists in the order of UTF-16', ['list/utf8-order'], inner => ({
    list: options =>
      changedList(inner.list(options), entries =>
        entries.sort((a, b) => (entryName(a) < entryName(b) ? -1 : 1)),
      ),
  })),
  wrong('takes a prefix for a folder', ['keys/neighbours-do-not-mix', 'list/prefix-is-a-string'], inner => ({
    list: ({ prefix = '', ...options } = {}) =>
      inner.list({ ...options, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` }),
  })),
  wrong('ignores case in prefixes', ['list/prefix-is-a-string'], inner => ({
    list: ({ prefix = '', ...options } = {}) =>
      changedList(inner.list(options), entries =>
        entries.filter(entry => entryName(entry).toLowerCase().startsWith(prefix.toLowerCase())),
      ),
  })),
  wrong('ends with an empty page', ['list/small-pages'], inner => ({
    list(options) {
      const list = inner.list(options)
      return listingOf({
        pages: () => list.pages(),
        async page(pageOptions) {
          const page = await list.page(pageOptions)
          const last = page.items.at(-1)
          return last === undefined ? page : { ...page, next: entryName(last) }
        },
      })
    },
  })),
  wrong(
    'counts pages by position',
    ['list/insert-into-returned-page', 'list/delete-from-returned-page'],
    inner => ({
      list(options) {
        const list = inner.list(options)
        return listingOf({
          pages: () => list.pages(),
          async page({ after = '0', limit = 1000 } = {}) {
            const all = await everyEntry(list)
            const end = Number(after) + limit
            return {
              items: all.slice(Number(after), end),
              ...(end < all.length ? { next: String(end) } : {}),
            }
          },
        })
      },
    }),
  ),
  wrong('includes what startAfter names', ['list/start-after'], inner => ({
    list({ startAfter, ...options } = {}) {
      if (startAfter === undefined || typeof startAfter !== 'string') return inner.list(options)
      return changedList(inner.list(options), entries =>
        entries.filter(entry => entryName(entry) >= startAfter),
      )
    },
  })),
  wrong('gives a folder once per object in it', ['list/delimiter'], inner => ({
    list: options =>
      changedList(inner.list(options), entries =>
        entries.flatMap((entry): ListEntry[] => (entry.kind === 'prefix' ? [entry, entry] : [entry])),
      ),
  })),
  wrong('keeps a folder without objects', ['list/folder-goes-with-last-child'], inner => {
    const seen = new Set<string>()
    return {
      list: options =>
        changedList(inner.list(options), entries => {
          for (const entry of entries) if (entry.kind === 'prefix') seen.add(entry.prefix)
          const gone = [...seen].filter(
            name => name.startsWith(options?.prefix ?? '') && options?.delimiter === '/',
          )
          const missing = gone.filter(name => !entries.some(entry => entryName(entry) === name))
          return [...entries, ...missing.map(prefix => ({ kind: 'prefix' as const, prefix }))]
        }),
    }
  }),
  wrong('lists from a cache', ['list/right-after-changes'], inner => {
    const cached = new Map<string, Listing>()
    return {
      list(options = {}) {
        const name = JSON.stringify(options)
        const list = cached.get(name) ?? frozen(inner.list(options))
        cached.set(name, list)
        return list
      },
    }
  }),
  wrong('lists sizes that info does not know', ['list/equals-info'], inner => ({
    list: options =>
      changedList(inner.list(options), entries =>
        entries.map(entry => (entry.kind === 'object' ? { ...entry, size: entry.size + 1 } : entry)),
      ),
  })),
  wrong(
    'takes any option of list',
    ['list/bad-options-are-refused', 'calls/unknown-options-are-refused'],
    inner => ({
      list: ({ prefix, delimiter } = {}) =>
        inner.list({
          ...(prefix === undefined ? {} : { prefix }),
          ...(delimiter === undefined ? {} : { delimiter }),
        }),
    }),
  ),
]

/** The entries of the first iteration, for ever. */
function frozen(list: Listing): Listing {
  const entries = everyEntry(list)
  entries.catch(() => {})
  return listingOf({
    async *pages() {
      yield await entries
    },
    page: options => list.page(options),
  })
}
