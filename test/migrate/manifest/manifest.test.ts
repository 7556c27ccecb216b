import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { postgres } from '../../../src/sql/postgres/index.ts'
import { rqlite } from '../../../src/sql/rqlite/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { sqliteDrivers } from '../../sql/sqlite/drivers.ts'
import { theFolder } from '../../sql/sqlite/the-folder.ts'
import { createDatabase, describeOnPostgres } from '../../support/on-postgres.ts'
import { startRqlite } from '../../support/rqlite.ts'
import { manifestCases } from './manifest-cases.ts'

const folder = theFolder()

for (const { name, open } of await sqliteDrivers())
  manifestCases(`sqlite with ${name}`, async () => open(folder.path()))

manifestCases('sqlite in memory', async () => {
  const engine = sqlite({ path: ':memory:' })
  return { engine, close: () => engine.close() }
})

manifestCases('postgres with PGlite', async () => {
  const client = new PGlite()
  return { engine: postgres({ client }), close: () => client.close() }
})

describeOnPostgres('the manifest', server => {
  manifestCases('postgres with pg', async () => {
    const database = await createDatabase(server)
    const pool = new pg.Pool({ connectionString: database.url, max: 8 })
    return {
      engine: postgres({ client: pool }),
      close: async () => {
        await pool.end()
        await database.drop()
      },
    }
  })
})

manifestCases('rqlite', async () => {
  const cluster = await startRqlite()
  const engine = rqlite({ url: cluster.nodes.map(node => node.url) })
  return {
    engine,
    close: async () => {
      await engine.close()
      await cluster.stop()
    },
  }
})
