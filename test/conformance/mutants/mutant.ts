import { memory } from '../../../src/adapters/memory.ts'
import type { ConformanceContext } from '../../../src/conformance/index.ts'
import type { Capabilities } from '../../../src/core/capabilities.ts'
import { Download } from '../../../src/core/download.ts'
import { type Listing, listingOf } from '../../../src/core/listing.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import type { ListEntry } from '../../../src/core/results.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { type FileServerOptions, fileServer } from '../../../src/server/index.ts'

/** A provider that breaks the contract in one way, and the cases that must notice. */
export interface Mutant {
  readonly title: string
  readonly caughtBy: readonly string[]
  readonly context: Partial<ConformanceContext>
}

export const SIGNING = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }

/** A context over memory, its server included, in which everything is as it should be. */
export function soundContext(server: Partial<FileServerOptions> = {}): ConformanceContext {
  let skew = 0
  const now = () => Date.now() + skew
  return {
    name: 'memory',
    create: () => memory({ signing: SIGNING, now }),
    fetch: (url, init, files) =>
      fileServer(files, { signing: SIGNING, now, ...server })(
        new Request(url, { duplex: 'half', ...init } as RequestInit),
      ),
    advance: ms => {
      skew += ms
    },
    now,
    caseTimeoutMs: 2000,
  }
}

/** Memory with some of its methods replaced by wrong ones. */
export function wrong(
  title: string,
  caughtBy: readonly string[],
  changes: (inner: StorageProvider) => Partial<StorageProvider>,
): Mutant {
  const sound = soundContext()
  const create = async () => {
    const inner = await sound.create()
    return forward(inner, changes(inner))
  }
  return { title, caughtBy, context: { ...sound, create } }
}

/** Memory that declares other capabilities than it has. */
export function lying(title: string, caughtBy: readonly string[], lie: Partial<Capabilities>): Mutant {
  return wrong(title, caughtBy, inner => ({ capabilities: { ...inner.capabilities, ...lie } }))
}

/** Memory that keeps objects under other names than it is told. */
export function renaming(
  title: string,
  caughtBy: readonly string[],
  rename: (key: string) => string,
): Mutant {
  return wrong(title, caughtBy, inner => ({
    upload: (key, body, options) => inner.upload(rename(key), body, options),
    download: (key, options) => inner.download(rename(key), options),
    info: async (key, options) => ({ ...(await inner.info(rename(key), options)), key }),
    exists: (key, options) => inner.exists(rename(key), options),
    delete: (key, options) => inner.delete(rename(key), options),
  }))
}

/** A list that changes what the inner one gives. */
export function changedList(inner: Listing, change: (entries: ListEntry[]) => ListEntry[]): Listing {
  return listingOf({
    async *pages() {
      yield change(await everyEntry(inner))
    },
    page: async options => {
      const page = await inner.page(options)
      return { ...page, items: change(page.items) }
    },
  })
}

export async function everyEntry(list: Listing): Promise<ListEntry[]> {
  const entries: ListEntry[] = []
  for await (const entry of list) entries.push(entry)
  return entries
}

/** A download that claims to be whole whatever bytes it has. */
export function downloadOf(download: Download, bytes: Uint8Array): Download {
  download.cancel()
  const source = {
    async *chunks() {
      yield bytes
    },
    cancel() {},
  }
  const span = { offset: download.range?.offset ?? 0, length: bytes.length }
  return new Download({ info: download.info, span, source })
}
