import { compareKeys } from './keys.ts'
import type { PageOptions } from './options.ts'
import type { ListEntry, ListPage, ObjectInfo } from './results.ts'

/**
 * A list that has not been asked for yet: each iteration starts afresh, `page` fetches one page of it.
 *
 * @example
 * ```ts
 * for await (const entry of files.list({ prefix: 'a/' })) console.log(entry)
 * const { items, next } = await files.list({ prefix: 'a/' }).page({ limit: 50 })
 * ```
 */
export interface Listing extends AsyncIterable<ListEntry> {
  /** One page. Hand its `next` to the following call as `after`; without `next` it was the last. */
  page(options?: PageOptions): Promise<ListPage>

  /** The iteration's entries as they arrive: an array for each time the store is asked, of no fixed length. */
  pages(): AsyncIterable<readonly ListEntry[]>
}

/** A list made of its pages: for those who make or wrap one. */
export function listingOf(parts: Pick<Listing, 'page' | 'pages'>): Listing {
  return {
    ...parts,
    async *[Symbol.asyncIterator]() {
      for await (const entries of parts.pages()) yield* entries
    },
  }
}

/** The name that an entry sorts by. */
export function entryName(entry: ListEntry): string {
  return entry.kind === 'object' ? entry.key : entry.prefix
}

/**
 * Folds objects, in UTF-8 order, into entries: under a delimiter each run of keys that share what stands before
 * the next delimiter becomes one prefix. Only entries behind `startAfter` are given.
 */
export function* foldEntries(
  infos: Iterable<ObjectInfo>,
  prefix: string,
  delimiter: '/' | undefined,
  startAfter: string | undefined,
): Generator<ListEntry> {
  let folded: string | undefined
  for (const info of infos) {
    const cut = delimiter === undefined ? -1 : info.key.indexOf(delimiter, prefix.length)
    const name = cut < 0 ? info.key : info.key.slice(0, cut + 1)
    if (name === folded || (startAfter !== undefined && compareKeys(name, startAfter) <= 0)) continue
    if (cut < 0) yield { kind: 'object', ...info }
    else {
      folded = name
      yield { kind: 'prefix', prefix: name }
    }
  }
}
