import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import postgresJs from 'postgres'
import { expect, test } from 'vitest'
import { type PostgresClient, postgres } from '../../src/sql/postgres/index.ts'
import { createDatabase, describeOnPostgres } from '../support/on-postgres.ts'
import { refused } from '../support/refused.ts'
import { engineCases } from './engine-cases.ts'

engineCases('postgres with PGlite', async () => {
  const db = new PGlite()
  const open = () => postgres({ client: db })
  return { engine: open(), fresh: async () => open(), close: () => db.close() }
})

/** Each opens a client of the kind on a database, and a way to end it. */
const CLIENTS: Readonly<Record<string, (url: string) => [client: PostgresClient, end: () => Promise<void>]>> =
  {
    pg: url => {
      const pool = new pg.Pool({ connectionString: url, max: 8 })
      return [pool, () => pool.end()]
    },
    'pg in pipeline mode': url => {
      const pool = new pg.Pool({ connectionString: url, max: 8, pipeline: true } as pg.PoolConfig)
      return [pool, () => pool.end()]
    },
    'postgres.js': url => {
      const sql = postgresJs(url, { max: 8 })
      return [sql, () => sql.end()]
    },
    'postgres.js that prepares nothing': url => {
      const sql = postgresJs(url, { max: 8, prepare: false })
      return [sql, () => sql.end()]
    },
    'postgres.js that turns names to camel case': url => {
      const sql = postgresJs(url, { max: 8, transform: postgresJs.camel })
      return [sql, () => sql.end()]
    },
  }

describeOnPostgres('the engine cases', server => {
  for (const [kind, connect] of Object.entries(CLIENTS)) {
    engineCases(`postgres with ${kind}`, async () => {
      const database = await createDatabase(server)
      const [client, end] = connect(database.url)
      const open = () => postgres({ client })
      return {
        engine: open(),
        fresh: async () => open(),
        close: async () => {
          await end()
          await database.drop()
        },
      }
    })

    test(`${kind} sends as many parameters as a statement may have, and is not sent more`, async () => {
      const database = await createDatabase(server)
      const [client, end] = connect(database.url)
      const engine = postgres({ client })
      const among = (count: number) =>
        engine.query([
          `SELECT 1 AS found WHERE 'a' IN (${Array(count).fill('?').join()})`,
          ...Array<string>(count).fill('a'),
        ])
      expect(await among(65_533)).toEqual([{ found: 1n }])
      await expect(among(65_534)).rejects.toThrow(refused(/has 65534 parameters/))
      expect(await among(1)).toEqual([{ found: 1n }])
      await end()
      await database.drop()
    })
  }
  engineCases('postgres with a url and a schema', async () => {
    const database = await createDatabase(server)
    const open = () => postgres({ url: database.url, schema: 'Files "1"', max: 8 })
    const engine = open()
    return {
      engine,
      fresh: async () => open(),
      close: async () => {
        await engine.close()
        await database.drop()
      },
    }
  })
})
