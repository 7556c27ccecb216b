import { KeyStream } from '../../core/key-streams.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import type { ManifestRow } from '../manifest.ts'
import { listedObjects } from '../plan/listed-objects.ts'

export interface ListedSideOptions {
  readonly prefix: string
  readonly startAfter?: string | undefined
  readonly signal: AbortSignal | undefined
  /** Totals so far, once a page; what it returns is awaited. */
  readonly onPage?: (objects: number, bytes: number) => unknown
}

/** The objects of one side, page by page, to be compared with others in order. A page that fails ends it with its error. */
export function listedSide(provider: StorageProvider, options: ListedSideOptions): KeyStream<ObjectInfo> {
  return new KeyStream(pagesOf(provider, options), info => info.key)
}

async function* pagesOf(
  provider: StorageProvider,
  { prefix, startAfter, signal, onPage }: ListedSideOptions,
): AsyncGenerator<readonly ObjectInfo[]> {
  let objects = 0
  let bytes = 0
  for await (const infos of listedObjects(provider, { prefix, startAfter, signal })) {
    objects += infos.length
    for (const { size } of infos) bytes += size
    await onPage?.(objects, bytes)
    yield infos
  }
}

/** Rows as a stream of the same kind. */
export function rowStream(
  pages: AsyncIterable<readonly ManifestRow[]>,
  key: 'sourceKey' | 'destinationKey',
): KeyStream<ManifestRow> {
  return new KeyStream(pages, row => row[key])
}
