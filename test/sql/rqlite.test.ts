import { rqlite } from '../../src/sql/rqlite/index.ts'
import { startRqlite } from '../support/rqlite.ts'
import { engineCases } from './engine-cases.ts'

engineCases('rqlite on three nodes', async () => {
  const cluster = await startRqlite()
  const url = cluster.nodes.map(node => node.url)
  const engine = rqlite({ url })
  return {
    engine,
    fresh: async () => rqlite({ url: url.toReversed() }),
    close: async () => {
      await engine.close()
      await cluster.stop()
    },
  }
})
