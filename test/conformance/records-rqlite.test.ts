import { afterAll, beforeAll, describe } from 'vitest'
import type { Engine } from '../../src/sql/engine.ts'
import { rqlite } from '../../src/sql/rqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import { memoryContext } from '../support/contexts/memory-context.ts'
import { recordsContext } from '../support/contexts/records-context.ts'
import { type RqliteCluster, startRqlite } from '../support/rqlite.ts'

describe('records', () => {
  let cluster: RqliteCluster
  let engine: Engine
  beforeAll(async () => {
    cluster = await startRqlite()
    engine = rqlite({ url: cluster.nodes.map(node => node.url) })
  })
  afterAll(async () => {
    await engine.close()
    await cluster.stop()
  })
  conformStore(recordsContext(memoryContext(), 'rqlite', () => engine))
})
