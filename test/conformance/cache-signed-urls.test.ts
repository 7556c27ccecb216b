import { describe } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { cacheSignedUrls, memoryCache } from '../../src/cache/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import type { StoreContext } from '../support/contexts/context-of.ts'
import { localContext } from '../support/contexts/local-context.ts'
import { memoryContext } from '../support/contexts/memory-context.ts'
import { recordsContext } from '../support/contexts/records-context.ts'
import { recordsBehaviours } from '../support/records-behaviours.ts'

/** The kit with a cache around what another context makes: its URLs of a minute are kept for most of it. */
function cached(inner: StoreContext): StoreContext {
  const { context } = inner
  const { now = Date.now } = context
  const stores = new WeakMap<StorageProvider, StorageProvider>()
  const cache = memoryCache({ now })
  const wrap = async (store: StorageProvider | Promise<StorageProvider>) => {
    const given = await store
    // What can't be signed is not to be cached: a provider for cases of other things.
    if (given.capabilities.signedUrl === false) return given
    const files = cacheSignedUrls(given, { cache, marginSeconds: 10, now })
    stores.set(files, given)
    return files
  }
  const storeOf = (files: StorageProvider) => stores.get(files) ?? files
  const { fetch, advance, another, createFull, leftovers } = context
  return {
    ...inner,
    context: {
      ...context,
      name: `cacheSignedUrls over ${context.name}`,
      create: options => wrap(context.create(options)),
      ...(fetch && { fetch: (url, init, files) => fetch(url, init, storeOf(files)) }),
      ...(advance && { advance: (ms, files) => advance(ms, storeOf(files)) }),
      ...(another && { another: files => wrap(another(storeOf(files))) }),
      ...(createFull && { createFull: () => wrap(createFull()) }),
      ...(leftovers && { leftovers: (files, keys) => leftovers(storeOf(files), keys) }),
    },
  }
}

const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }
const local = await localContext()
const engine = sqlite({ path: ':memory:' })

describe('over memory', () => conformStore(cached(memoryContext())))
describe('over local', () => conformStore(cached(local)))
describe('under records', () => conformStore(recordsContext(cached(memoryContext()), 'SQLite', () => engine)))

describe('under records, what records owe', () => {
  recordsBehaviours('records over cacheSignedUrls', async () => ({
    engine,
    store: async () => cacheSignedUrls(memory({ signing }), { cache: memoryCache() }),
  }))
})
