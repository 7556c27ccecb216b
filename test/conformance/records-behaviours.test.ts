import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, describe } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { memory } from '../../src/adapters/memory.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { rqlite } from '../../src/sql/rqlite/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { recordsBehaviours } from '../support/records-behaviours.ts'
import { type RqliteCluster, startRqlite } from '../support/rqlite.ts'

describe('records over memory and SQLite', () => {
  recordsBehaviours('records over memory and SQLite', async () => ({
    engine: sqlite({ path: ':memory:' }),
    store: async () => memory(),
  }))
})

describe('records over local files and a SQLite file', () => {
  let folder: string
  afterAll(() => rm(folder, { recursive: true }))
  recordsBehaviours('records over local files and a SQLite file', async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-behaviours-'))
    let roots = 0
    return {
      engine: sqlite({ path: join(folder, 'records.db'), durability: 'normal' }),
      store: async () => local({ root: join(folder, `root-${++roots}`), durability: 'process' }),
    }
  })
})

describe('records over memory and PGlite', () => {
  const database = new PGlite()
  afterAll(() => database.close())
  recordsBehaviours('records over memory and PGlite', async () => ({
    engine: postgres({ client: database }),
    store: async () => memory(),
  }))
})

describe('records over memory and rqlite', () => {
  let cluster: RqliteCluster
  afterAll(() => cluster.stop())
  recordsBehaviours('records over memory and rqlite', async () => {
    cluster = await startRqlite()
    return {
      engine: rqlite({ url: cluster.nodes.map(node => node.url) }),
      store: async () => memory(),
    }
  })
})
