import { describe, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { conformance } from '../../src/conformance/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { fileServer } from '../../src/server/index.ts'

const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }
let skew = 0
const now = () => Date.now() + skew

describe('memory', () => {
  for (const test of conformance({
    name: 'memory',
    create() {
      skew = 0
      return memory({ signing, now })
    },
    fetch: (url, init, files: StorageProvider) => fileServer(files, { signing, now })(new Request(url, init)),
    advance(ms) {
      skew += ms
    },
    now,
    createFull: () => memory({ maxObjectBytes: 8 * 2 ** 20 }),
  }))
    it(test.title, test.run)
})
