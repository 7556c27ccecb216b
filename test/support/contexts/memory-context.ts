import { memory } from '../../../src/adapters/memory.ts'
import { fileServer } from '../../../src/server/index.ts'
import type { StoreContext } from './context-of.ts'

const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }

/** The kit over memory. */
export function memoryContext(): StoreContext {
  let skew = 0
  const now = () => Date.now() + skew
  return {
    context: {
      name: 'memory',
      create() {
        skew = 0
        return memory({ signing, now })
      },
      fetch: (url, init, files) => fileServer(files, { signing, now })(new Request(url, init)),
      advance(ms) {
        skew += ms
      },
      now,
      createFull: () => memory({ maxObjectBytes: 8 * 2 ** 20 }),
    },
  }
}
