import { describe, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { type ConformanceContext, conformance } from '../../src/conformance/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/index.ts'
import { fileServer } from '../../src/server/index.ts'

const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }

/** Runs the whole kit over memory with `wrap` around it. The server behind its URLs serves the bare memory. */
export function conformDecorated(
  name: string,
  wrap: (inner: StorageProvider) => StorageProvider,
  more: (innerOf: (files: StorageProvider) => StorageProvider) => Partial<ConformanceContext> = () => ({}),
): void {
  const inners = new WeakMap<StorageProvider, StorageProvider>()
  let skew = 0
  const now = () => Date.now() + skew
  const wrapped = (inner: StorageProvider) => {
    const files = wrap(inner)
    inners.set(files, inner)
    return files
  }
  const innerOf = (files: StorageProvider) => inners.get(files)!
  const context: ConformanceContext = {
    name: `${name} over memory`,
    create() {
      skew = 0
      return wrapped(memory({ signing, now }))
    },
    fetch: (url, init, files) => fileServer(innerOf(files), { signing, now })(new Request(url, init)),
    advance(ms) {
      skew += ms
    },
    now,
    // The kit closes it, which would empty the store that both share.
    another: files => wrapped(forward(innerOf(files), { close: async () => {} })),
    createFull: () => wrapped(memory({ maxObjectBytes: 8 * 2 ** 20 })),
    ...more(innerOf),
  }
  describe(context.name, () => {
    for (const test of conformance(context)) it(test.title, test.run)
  })
}
