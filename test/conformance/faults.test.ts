import { memory } from '../../src/adapters/memory.ts'
import { faults } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated(
  'faults',
  inner => faults(inner, { seed: 1 }),
  () => ({
    async createCut(key, bytes) {
      const store = memory()
      await store.upload(key, bytes)
      return faults(store, { seed: 1, rules: [{ kind: 'cut', operations: ['download'] }] })
    },
  }),
)
