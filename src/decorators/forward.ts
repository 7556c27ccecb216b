import { assertProvider } from '../core/assert-provider.ts'
import { listingOf } from '../core/listing.ts'
import type { KeyEntry, KeyInput, OperationName, OperationOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { unfinishedUploadsOf } from '../core/unfinished-uploads.ts'

/**
 * The only list of every method: `inner` with some of them replaced. A method that is added to the contract and
 * forgotten here is a compile error. Name, location and capabilities stay live: a probe's answers are seen through it.
 */
export function forward(inner: StorageProvider, changes: Partial<StorageProvider> = {}): StorageProvider {
  assertProvider('forward', inner)
  const all: StorageProvider = {
    get name() {
      return inner.name
    },
    get location() {
      return inner.location
    },
    get capabilities() {
      return inner.capabilities
    },
    probe: options => inner.probe(options),
    upload: (key, body, options) => inner.upload(key, body, options),
    uploadResumable: (key, source, options) => inner.uploadResumable(key, source, options),
    download: (key, options) => inner.download(key, options),
    info: (key, options) => inner.info(key, options),
    infoMany: (keys, options) => inner.infoMany(keys, options),
    exists: (key, options) => inner.exists(key, options),
    list: options => inner.list(options),
    copy: (from, to, options) => inner.copy(from, to, options),
    move: (from, to, options) => inner.move(from, to, options),
    delete: (key, options) => inner.delete(key, options),
    deleteMany: (keys, options) => inner.deleteMany(keys, options),
    signedUrl: (key, options) => inner.signedUrl(key, options),
    signedUrls: (keys, options) => inner.signedUrls(keys, options),
    signedUpload: (key, options) => inner.signedUpload(key, options),
    publicUrl: key => inner.publicUrl(key),
    unfinishedUploads: options => inner.unfinishedUploads(options),
    abortUpload: (key, uploadId, options) => inner.abortUpload(key, uploadId, options),
    clock: options => inner.clock(options),
    close: () => inner.close(),
  }
  return Object.defineProperties(all, Object.getOwnPropertyDescriptors(changes)) as StorageProvider
}

/** One operation on its way in. */
export interface Call<Options> {
  readonly operation: OperationName
  readonly key?: string
  /** Destination of `copy` and `move`. */
  readonly to?: string
  readonly options: Options
}

/** What stands around an operation. `run` may be called never, once or again, with other options. */
export type Around = <Options extends OperationOptions | undefined, T>(
  call: Call<Options>,
  run: (options: Options) => Promise<T>,
) => Promise<T>

/** The methods that make requests and are over when their promise is: all but `download`, whose body follows. */
export type Intercepted = Omit<
  StorageProvider,
  'name' | 'location' | 'capabilities' | 'download' | 'publicUrl' | 'close'
>

/**
 * Every method of `Intercepted` with `around` around it. A list, of objects or of unfinished uploads, is one operation
 * per page; while its consumer thinks, none is under way. Pages of an iteration keep the options that the list was made with.
 */
export function intercept(inner: StorageProvider, around: Around): Intercepted {
  return {
    probe: options => around({ operation: 'probe', options }, o => inner.probe(o)),
    upload: (key, body, options) =>
      around({ operation: 'upload', key, options }, o => inner.upload(key, body, o)),
    uploadResumable: (key, source, options) =>
      around({ operation: 'uploadResumable', key, options }, o => inner.uploadResumable(key, source, o)),
    info: (key, options) => around({ operation: 'info', key, options }, o => inner.info(key, o)),
    infoMany: (keys, options) => around({ operation: 'infoMany', options }, o => inner.infoMany(keys, o)),
    exists: (key, options) => around({ operation: 'exists', key, options }, o => inner.exists(key, o)),
    copy: (from, to, options) =>
      around({ operation: 'copy', key: from, to, options }, o => inner.copy(from, to, o)),
    move: (from, to, options) =>
      around({ operation: 'move', key: from, to, options }, o => inner.move(from, to, o)),
    delete: (key, options) => around({ operation: 'delete', key, options }, o => inner.delete(key, o)),
    deleteMany: (keys, options) =>
      around({ operation: 'deleteMany', options }, o => inner.deleteMany(keys, o)),
    signedUrl: (key, options) =>
      around({ operation: 'signedUrl', key, options }, o => inner.signedUrl(key, o)),
    signedUrls: (keys, options) =>
      around({ operation: 'signedUrls', options }, o => inner.signedUrls(keys, o)),
    signedUpload: (key, options) =>
      around({ operation: 'signedUpload', key, options }, o => inner.signedUpload(key, o)),
    abortUpload: (key, uploadId, options) =>
      around({ operation: 'abortUpload', key, options }, o => inner.abortUpload(key, uploadId, o)),
    clock: options => around({ operation: 'clock', options }, o => inner.clock(o)),
    unfinishedUploads: options => {
      const uploads = inner.unfinishedUploads(options)
      const call = { operation: 'unfinishedUploads', options: commonOf(options) } as const
      return unfinishedUploadsOf(() => pagesAround(uploads.pages(), next => around(call, next)))
    },
    list: options => {
      const list = inner.list(options)
      const common = commonOf(options)
      return listingOf({
        page: pageOptions =>
          around({ operation: 'list', options: { ...common, ...pageOptions } }, o => list.page(o)),
        pages: () => pagesAround(list.pages(), next => around({ operation: 'list', options: common }, next)),
      })
    },
  }
}

/** The same pages, with `step` around each step to the next of them. */
export async function* pagesAround<Page>(
  inner: AsyncIterable<Page>,
  step: (next: () => Promise<IteratorResult<Page>>) => Promise<IteratorResult<Page>>,
): AsyncGenerator<Page, void> {
  const pages = inner[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await step(() => pages.next())
      if (done) return
      yield value
    }
  } finally {
    abandon(pages)
  }
}

/** The options that every operation takes. */
export function commonOf(options: OperationOptions = {}): OperationOptions {
  const { signal, timeoutMs } = options
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) }
}

/**
 * The same keys, at hand where they were; `taken` is called with each that is taken. What are no keys is passed on, to
 * be refused.
 */
export function watchedKeys(keys: KeyInput, taken: (key: string | KeyEntry) => void): KeyInput {
  if (typeof keys !== 'object' || keys === null) return keys
  if (Symbol.iterator in keys)
    return (function* () {
      for (const key of keys) {
        taken(key)
        yield key
      }
    })()
  if (!(Symbol.asyncIterator in keys)) return keys
  return (async function* () {
    for await (const key of keys as AsyncIterable<string | KeyEntry>) {
      taken(key)
      yield key
    }
  })()
}

/** Ends an iteration without waiting for it: one that hangs never answers. */
export function abandon(iterator: AsyncIterator<unknown>): void {
  void iterator.return?.().then(
    () => {},
    () => {},
  )
}
