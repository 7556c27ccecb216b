import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import type { CutOverPhase } from '../../../src/migrate/cut-over/phase.ts'
import { fileServer } from '../../../src/server/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { putInPhase } from '../cut-over-in-phase.ts'
import type { StoreContext } from './context-of.ts'
import { recordsContext } from './records-context.ts'

const secret = 'a secret of the tests'
const SIGNING = {
  from: { baseUrl: 'http://127.0.0.1:1/from', secret },
  to: { baseUrl: 'http://127.0.0.1:1/to', secret },
}

let cutOvers = 0

/** The kit over records over two memories of which one is left for the other. */
export function cutOverContext(phase: CutOverPhase): StoreContext {
  let skew = 0
  const now = () => Date.now() + skew
  const engine = sqlite({ path: ':memory:' })
  const sides = new Map<StorageProvider, Record<'from' | 'to', StorageProvider>>()
  const make = async (maxObjectBytes?: number) => {
    skew = 0
    const options = maxObjectBytes === undefined ? { now } : { now, maxObjectBytes }
    const from = memory({ ...options, signing: SIGNING.from })
    const to = memory({ ...options, signing: SIGNING.to })
    const name = `c${++cutOvers}`
    const store = cutOver({ from, to, engine, name, now, secondMs: 60_000, leaseMs: 120_000 })
    sides.set(store, { from, to })
    await store.status()
    await putInPhase(engine, name, phase)
    return store
  }
  const twin: StoreContext = {
    context: {
      name: `a cut-over in ${phase}`,
      create: () => make(),
      fetch: (url, init, files) => {
        const side = url.startsWith(SIGNING.from.baseUrl) ? 'from' : 'to'
        return fileServer(sides.get(files)![side], { signing: SIGNING[side], now })(new Request(url, init))
      },
      advance(ms) {
        skew += ms
      },
      now,
      another: files => files,
      createFull: () => make(8 * 2 ** 20),
    },
    after: () => engine.close(),
  }
  return recordsContext(twin, 'SQLite', () => engine)
}
