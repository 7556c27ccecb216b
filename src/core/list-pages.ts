import type { Driver } from './driver.ts'
import { StorageError } from './errors.ts'
import { compareKeys } from './keys.ts'
import { entryName, type Listing, listingOf } from './listing.ts'
import { assertOptions, type ListOptions, type OperationOptions, type PageOptions } from './options.ts'
import type { ListEntry, ListPage } from './results.ts'

const MAX_PAGE = 1000

type Run = <T>(
  work: (signal: AbortSignal | undefined) => Promise<T>,
  options?: OperationOptions,
) => Promise<T>

/** A list over a driver's pages, held to its promises: in order, nothing twice, nothing left out. */
export function listing(driver: Driver, options: ListOptions, run: Run): Listing {
  const { prefix = '', delimiter, startAfter, pageSize = MAX_PAGE } = options
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `list: ${problem}`, { operation: 'list', provider: driver.name })
  const assertText = (name: string, value: unknown) => {
    if (typeof value !== 'string' || !value.isWellFormed() || Buffer.byteLength(value) > 1024)
      throw refuse(`${name} must be well-formed text of at most 1,024 bytes`)
  }
  assertText('prefix', prefix)
  if (startAfter !== undefined) assertText('startAfter', startAfter)
  if (delimiter !== undefined && delimiter !== '/') throw refuse("delimiter can only be '/'")
  assertPageSize('pageSize', pageSize, refuse)

  /** Entries behind `after`, at least one unless the list has ended. */
  async function fetch(
    after: string | undefined,
    cursor: string | undefined,
    limit: number,
    signal: AbortSignal | undefined,
  ) {
    let from = cursor
    for (;;) {
      const answer = await driver.listPage({
        prefix,
        delimiter,
        startAfter: after,
        cursor: from,
        limit,
        signal,
      })
      const entries = answer.entries.filter(
        entry => after === undefined || compareKeys(entryName(entry), after) > 0,
      )
      assertOrder(entries, driver.name)
      if (entries.length > 0 || answer.done) return { ...answer, entries }
      if (answer.cursor === undefined || answer.cursor === from) throw stuck(driver.name)
      from = answer.cursor
    }
  }

  return listingOf({
    async *pages() {
      let after = startAfter
      let cursor: string | undefined
      for (;;) {
        const answer = await run(signal => fetch(after, cursor, pageSize, signal))
        if (answer.entries.length > 0) yield answer.entries
        if (answer.done) return
        after = entryName(answer.entries.at(-1)!)
        cursor = answer.cursor
      }
    },

    async page(pageOptions: PageOptions = {}): Promise<ListPage> {
      assertOptions('page', pageOptions, driver.name)
      const { after = startAfter, limit = pageSize } = pageOptions
      if (after !== undefined) assertText('after', after)
      assertPageSize('limit', limit, refuse)
      return run(async signal => {
        const items: ListEntry[] = []
        let at = after
        let cursor: string | undefined
        for (;;) {
          // One more than asked for tells whether a page follows, so that none comes empty.
          const answer = await fetch(at, cursor, Math.min(limit - items.length + 1, MAX_PAGE), signal)
          items.push(...answer.entries)
          if (items.length > limit)
            return { items: items.slice(0, limit), next: entryName(items[limit - 1]!) }
          if (answer.done) return { items }
          at = entryName(items.at(-1)!)
          cursor = answer.cursor
        }
      }, pageOptions)
    },
  })
}

function assertPageSize(name: string, value: unknown, refuse: (problem: string) => StorageError): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_PAGE) return
  throw refuse(`${name} must be a whole number from 1 to ${MAX_PAGE}`)
}

/** A store that lists out of order would make pages repeat or skip: better to say so than to lose an entry. */
function assertOrder(entries: readonly ListEntry[], provider: string): void {
  for (let i = 1; i < entries.length; i++) {
    if (compareKeys(entryName(entries[i - 1]!), entryName(entries[i]!)) < 0) continue
    throw new StorageError(
      'internal',
      'list: the store does not list in UTF-8 order, so pages of it would skip or repeat entries',
      {
        operation: 'list',
        provider,
      },
    )
  }
}

function stuck(provider: string): StorageError {
  return new StorageError('internal', 'list: the store sends the same page again and again', {
    operation: 'list',
    provider,
  })
}
