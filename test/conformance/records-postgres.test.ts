import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { conformStore } from '../support/conform-store.ts'
import { localContext } from '../support/contexts/local-context.ts'
import { memoryContext } from '../support/contexts/memory-context.ts'
import { recordsContext } from '../support/contexts/records-context.ts'
import { createDatabase, describeOnPostgres } from '../support/on-postgres.ts'
import { recordsBehaviours } from '../support/records-behaviours.ts'

// It takes a disk, which the hooks of its tests give back: where none of them runs, none is taken.
const local = 'missing' in inject('postgres') ? undefined : await localContext()

describe('records', () => {
  const database = new PGlite()
  const engine = postgres({ client: database })
  afterAll(() => database.close())
  conformStore(recordsContext(memoryContext(), 'PGlite', () => engine))
})

describeOnPostgres('records', server => {
  let database: Awaited<ReturnType<typeof createDatabase>>
  let engine: Engine
  beforeAll(async () => {
    database = await createDatabase(server)
    engine = postgres({ url: database.url, max: 8 })
  })
  afterAll(async () => {
    await engine.close()
    await database.drop()
  })
  conformStore(recordsContext(local!, 'PostgreSQL', () => engine))
  recordsBehaviours('records over memory and PostgreSQL', async () => ({
    engine,
    store: async () => memory(),
  }))
})
