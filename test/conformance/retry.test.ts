import { memory } from '../../src/adapters/memory.ts'
import { faults, retry } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated(
  'retry',
  inner => retry(inner, { sleep: async () => {} }),
  () => ({
    async createCut(key, bytes) {
      const store = memory()
      await store.upload(key, bytes)
      const cut = faults(store, { seed: 1, rules: [{ kind: 'cut', operations: ['download'] }] })
      return retry(cut, { sleep: async () => {} })
    },
  }),
)
