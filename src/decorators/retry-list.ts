import { entryName, type Listing, listingOf } from '../core/listing.ts'
import type {
  ListOptions,
  OperationName,
  OperationOptions,
  UnfinishedUploadsOptions,
} from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { type UnfinishedUploads, unfinishedUploadsOf } from '../core/unfinished-uploads.ts'
import { abandon, type Call, commonOf } from './forward.ts'
import type { Tries } from './tries.ts'

type Trying = <Options extends OperationOptions | undefined, T>(
  call: Call<Options>,
  work: (tries: Tries, options: Options) => Promise<T>,
) => Promise<T>

/** A list that goes on behind the last entry it gave. */
export function retryList(inner: StorageProvider, options: ListOptions | undefined, trying: Trying): Listing {
  const list = inner.list(options)
  const common = commonOf(options)
  return listingOf({
    page: pageOptions =>
      trying({ operation: 'list', options: { ...common, ...pageOptions } }, (tries, inside) =>
        tries.run(() => list.page(inside)),
      ),
    pages: () =>
      resumed('list', common, trying, list.pages(), last =>
        inner.list(last === undefined ? options : { ...options, startAfter: entryName(last) }).pages(),
      ),
  })
}

/** The same for unfinished uploads. */
export function retryUnfinished(
  inner: StorageProvider,
  options: UnfinishedUploadsOptions | undefined,
  trying: Trying,
): UnfinishedUploads {
  const uploads = inner.unfinishedUploads(options)
  return unfinishedUploadsOf(() =>
    resumed('unfinishedUploads', commonOf(options), trying, uploads.pages(), last => {
      // All uploads to one key come on one page.
      return inner
        .unfinishedUploads(last === undefined ? options : { ...options, startAfter: last.key })
        .pages()
    }),
  )
}

/** `first`, and in its place whatever `reopen` gives behind the last entry when a page has failed. */
async function* resumed<Entry>(
  operation: OperationName,
  options: OperationOptions,
  trying: Trying,
  first: AsyncIterable<readonly Entry[]>,
  reopen: (last: Entry | undefined) => AsyncIterable<readonly Entry[]>,
): AsyncGenerator<readonly Entry[], void> {
  let last: Entry | undefined
  let pages = first[Symbol.asyncIterator]()
  try {
    for (;;) {
      const step = await trying({ operation, options }, tries =>
        tries.run(async () => {
          try {
            return await pages.next()
          } catch (error) {
            pages = reopen(last)[Symbol.asyncIterator]()
            throw error
          }
        }),
      )
      if (step.done) return
      last = step.value.at(-1) ?? last
      yield step.value
    }
  } finally {
    abandon(pages)
  }
}
