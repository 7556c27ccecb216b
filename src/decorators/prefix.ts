import { assertProvider } from '../core/assert-provider.ts'
import { asInput, keyBatches } from '../core/batches.ts'
import type { ByteSource } from '../core/download.ts'
import type { StorageError } from '../core/errors.ts'
import { assertKey, keyProblem } from '../core/keys.ts'
import { type Listing, listingOf } from '../core/listing.ts'
import type { KeyEntry, KeyInput, OperationName } from '../core/options.ts'
import type { ListEntry, ListPage, ObjectInfo, StorageProvider } from '../core/provider.ts'
import { addLayer, refusal } from './layer.ts'
import { withoutRoot } from './prefix-errors.ts'
import { prefixedUploads } from './prefix-uploads.ts'

/**
 * A provider that sees one folder of `inner` as the whole store: keys go in with `root` in front and come out
 * without, in results, lists, page tokens and errors. No key leads out of it (`..` is no part of a key), and
 * `tenant/a` never sees `tenant/aa`: `root` ends with a slash, or is given one. Only URLs show it.
 *
 * Streams: bodies pass through untouched; errors of a download's body are renamed as all others.
 *
 * @throws `invalid-argument` for a root that is empty, is no valid beginning of a key, or leaves no room for keys
 * @example
 * ```ts
 * const files = prefix(s3(options), 'tenant/acme/')
 * await files.upload('logo.svg', svg) // stored as tenant/acme/logo.svg
 * ```
 */
export function prefix(inner: StorageProvider, root: string): StorageProvider {
  assertProvider('prefix', inner)
  const base = checkedRoot(inner, root)
  const rootBytes = Buffer.byteLength(base)
  const keyRules = () => {
    const { keys } = inner.capabilities
    return { ...keys, maxBytes: keys.maxBytes - rootBytes }
  }
  const clean = (error: unknown, key?: string) => withoutRoot(error, base, key)
  const strip = (key: string) => key.slice(base.length)
  const stripInfo = (info: ObjectInfo): ObjectInfo => ({ ...info, key: strip(info.key) })

  /** `work` with keys that have been checked and put under the root; what it throws is renamed. */
  async function under<T>(
    operation: OperationName,
    keys: string[],
    work: (...full: string[]) => Promise<T>,
  ): Promise<T> {
    for (const key of keys) assertKey(key, keyRules(), operation, inner.name)
    try {
      return await work(...keys.map(key => base + key))
    } catch (error) {
      throw clean(error, keys[0])
    }
  }

  /** A call for many keys: bad ones fail alone and are not sent on. */
  async function many<Result extends { readonly key: string }>(
    operation: OperationName,
    keys: KeyInput,
    work: (keys: AsyncIterable<string | KeyEntry>) => Promise<Result[]>,
    failed: (key: string, error: StorageError) => Result,
    map: (result: Result, key: string) => Result,
  ): Promise<Result[]> {
    const slots: { key: string; failed?: Result }[] = []
    const rules = keyRules()
    async function* full() {
      for await (const [entry] of keyBatches(keys, 1, operation, inner.name)) {
        const key = String(entry!.key)
        try {
          assertKey(entry!.key, rules, operation, inner.name)
        } catch (error) {
          slots.push({ key, failed: failed(key, error as StorageError) })
          continue
        }
        slots.push({ key })
        yield asInput({ ...entry, key: base + key })
      }
    }
    const results = await work(full()).catch(error => {
      throw clean(error)
    })
    let next = 0
    return slots.map(({ key, failed: own }) => own ?? map(results[next++]!, key))
  }

  const failedResult = (key: string, error: StorageError) => ({ key, ok: false as const, error })

  return addLayer(
    inner,
    'prefix',
    {
      location: inner.location + base,
      upload: (key, body, options) =>
        under('upload', [key], async full => stripInfo(await inner.upload(full, body, options))),
      uploadResumable: (key, source, options) =>
        under('uploadResumable', [key], async full =>
          stripInfo(await inner.uploadResumable(full, source, options)),
        ),
      download: (key, options) =>
        under('download', [key], async full => {
          const download = await inner.download(full, options)
          return download.through(
            source => renamed(source, error => clean(error, key)),
            undefined,
            stripInfo(download.info),
          )
        }),
      info: (key, options) => under('info', [key], async full => stripInfo(await inner.info(full, options))),
      exists: (key, options) => under('exists', [key], full => inner.exists(full, options)),
      copy: (from, to, options) =>
        under('copy', [from, to], async (a, b) => stripInfo(await inner.copy(a!, b!, options))),
      move: (from, to, options) =>
        under('move', [from, to], async (a, b) => stripInfo(await inner.move(a!, b!, options))),
      delete: (key, options) =>
        under('delete', [key], async full => ({ ...(await inner.delete(full, options)), key })),
      signedUrl: (key, options) => under('signedUrl', [key], full => inner.signedUrl(full, options)),
      signedUpload: (key, options) => under('signedUpload', [key], full => inner.signedUpload(full, options)),
      infoMany: (keys, options) =>
        many(
          'infoMany',
          keys,
          full => inner.infoMany(full, options),
          failedResult,
          (result, key) =>
            result.ok
              ? { ...result, key, value: stripInfo(result.value) }
              : { ...result, key, error: clean(result.error, key) as StorageError },
        ),
      deleteMany: (keys, options) =>
        many(
          'deleteMany',
          keys,
          full => inner.deleteMany(full, options),
          (key, error) => ({ key, status: 'error', error }),
          (result, key) =>
            result.status === 'error'
              ? { ...result, key, error: clean(result.error, key) as StorageError }
              : { ...result, key },
        ),
      signedUrls: (keys, options) =>
        many(
          'signedUrls',
          keys,
          full => inner.signedUrls(full, options),
          failedResult,
          (result, key) =>
            result.ok
              ? { ...result, key }
              : { ...result, key, error: clean(result.error, key) as StorageError },
        ),
      list: options => prefixedList(inner, base, options, clean),
      unfinishedUploads: options => prefixedUploads(inner, base, options, clean),
      abortUpload: (key, uploadId, options) =>
        under('abortUpload', [key], full => inner.abortUpload(full, uploadId, options)),
      publicUrl(key) {
        assertKey(key, keyRules(), 'publicUrl', inner.name)
        try {
          return inner.publicUrl(base + key)
        } catch (error) {
          throw clean(error, key)
        }
      },
    },
    capabilities => ({ ...capabilities, keys: keyRules() }),
  )
}

function checkedRoot(inner: StorageProvider, root: string): string {
  if (typeof root !== 'string' || root === '') throw refusal('prefix', 'needs the beginning of keys, as a/b/')
  const base = root.endsWith('/') ? root : `${root}/`
  // A key that consists of the root and one letter must be possible.
  const problem = keyProblem(`${base}x`, inner.capabilities.keys)
  if (problem !== undefined) throw refusal('prefix', `a key under ${JSON.stringify(base)} ${problem}`)
  return base
}

function prefixedList(
  inner: StorageProvider,
  base: string,
  options: Parameters<StorageProvider['list']>[0],
  clean: (error: unknown) => unknown,
): Listing {
  if (options !== undefined && (typeof options !== 'object' || options === null)) return inner.list(options)
  // What is no string stays what it is, and is refused below.
  const full = (text: unknown) => (typeof text === 'string' ? base + text : (text as undefined))
  const strip = (entry: ListEntry): ListEntry =>
    entry.kind === 'object'
      ? { ...entry, key: entry.key.slice(base.length) }
      : { ...entry, prefix: entry.prefix.slice(base.length) }
  const asked = options ?? {}
  const list = cleanly(clean, () =>
    inner.list({
      ...asked,
      prefix: full(asked.prefix ?? ''),
      // Never without: an object that is named as the root itself has no name in here.
      startAfter: full(asked.startAfter ?? ''),
    }),
  )
  return listingOf({
    async page(pageOptions): Promise<ListPage> {
      try {
        const after = pageOptions?.after
        const { items, next } = await list.page(
          after === undefined ? pageOptions : { ...pageOptions, after: full(after) },
        )
        const page = { items: items.map(strip) }
        return next === undefined ? page : { ...page, next: next.slice(base.length) }
      } catch (error) {
        throw clean(error)
      }
    },
    async *pages() {
      try {
        for await (const entries of list.pages()) yield entries.map(strip)
      } catch (error) {
        throw clean(error)
      }
    },
  })
}

function cleanly<T>(clean: (error: unknown) => unknown, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw clean(error)
  }
}

function renamed(source: ByteSource, clean: (error: unknown) => unknown): ByteSource {
  const { bytes } = source
  const whole =
    bytes &&
    (() =>
      bytes().catch(error => {
        throw clean(error)
      }))
  return {
    cancel: () => source.cancel(),
    ...(whole ? { bytes: whole } : {}),
    async *chunks() {
      try {
        yield* source.chunks()
      } catch (error) {
        throw clean(error)
      }
    },
  }
}
