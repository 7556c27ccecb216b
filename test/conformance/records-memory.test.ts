import { describe, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { conformance } from '../../src/conformance/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { type RecordedFiles, withRecords } from '../../src/records/index.ts'
import { fileServer } from '../../src/server/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }
let skew = 0
const now = () => Date.now() + skew
const stores = new Map<StorageProvider, StorageProvider>()

describe('records over memory and SQLite', () => {
  for (const test of conformance({
    name: 'records over memory and SQLite',
    create() {
      skew = 0
      const store = memory({ signing, now })
      const files = withRecords(store, sqlite({ path: ':memory:' }), { now, replaceGraceMs: 0 })
      stores.set(files, store)
      return files
    },
    fetch: (url, init, files: StorageProvider) =>
      fileServer(stores.get(files)!, { signing, now })(new Request(url, init)),
    advance(ms) {
      skew += ms
    },
    now,
    createFull: () => withRecords(memory({ maxObjectBytes: 8 * 2 ** 20 }), sqlite({ path: ':memory:' })),
    finalize: (files, _key, { uploadId }) => (files as RecordedFiles).finalize(uploadId!),
  }))
    it(test.title, test.run)
})
