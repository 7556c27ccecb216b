/** Where an application opens its own transactions: each engine that can join one, with each library. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgresJs from 'postgres'
import type { Engine, Statement } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import type { SqliteDriver } from '../sql/sqlite/drivers.ts'
import { createDatabase } from '../support/on-postgres.ts'
import type { PostgresServer } from '../support/postgres.ts'

/** Runs one statement of the caller's own inside the transaction. */
export type Run = (sql: string) => Promise<unknown>

export interface Place {
  readonly engine: Engine
  /** Whether the engine can write while a transaction is open. */
  readonly leavesEngineFree: boolean
  /** Commits after `work`, and rolls back where it throws. */
  transaction(work: (tx: unknown, run: Run) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export type OpenPlace = () => Promise<Place>

/** The application's own rows. */
const NOTES: Statement = ['CREATE TABLE notes (id TEXT PRIMARY KEY)']

/** A file of SQLite: the engine and the caller have a connection each. */
export function sqlitePlace(driver: SqliteDriver): OpenPlace {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stowage-transaction-'))
    const path = join(folder, 'records.db')
    const { engine, close } = driver.open(path)
    await engine.batch([NOTES])
    const database = driver.database(path)
    const run: Run = async sql => database.exec(sql)
    return {
      engine,
      leavesEngineFree: false,
      async transaction(work) {
        await run('BEGIN IMMEDIATE')
        try {
          await work(database, run)
          await run('COMMIT')
        } catch (error) {
          await run('ROLLBACK')
          throw error
        }
      },
      async close() {
        database.close()
        await close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  }
}

/** Starts once, which takes seconds; each place finds it empty. */
export function pglitePlace(): { open: OpenPlace; end(): Promise<void> } {
  let client: PGlite | undefined
  return {
    async open() {
      client ??= await PGlite.create()
      const db = client
      await db.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
      const engine = postgres({ client: db })
      await engine.batch([NOTES])
      return {
        engine,
        leavesEngineFree: false,
        transaction: work => db.transaction(tx => work(tx, sql => tx.exec(sql))),
        close: () => engine.close(),
      }
    },
    end: async () => client?.close(),
  }
}

type Caller = Pick<Place, 'transaction' | 'close'>

const CALLERS: Readonly<Record<string, (url: string) => Caller>> = {
  'a pg client': url => {
    const pool = new pg.Pool({ connectionString: url })
    return {
      async transaction(work) {
        const client = await pool.connect()
        await client.query('BEGIN')
        try {
          await work(client, sql => client.query(sql))
          await client.query('COMMIT')
        } catch (error) {
          await client.query('ROLLBACK')
          throw error
        } finally {
          client.release()
        }
      },
      close: () => pool.end(),
    }
  },
  'postgres.js': url => {
    const sql = postgresJs(url)
    return {
      transaction: async work =>
        void (await sql.begin(tx => work(tx, statement => tx.unsafe(statement).then(rows => rows)))),
      close: () => sql.end(),
    }
  },
  Drizzle: url => {
    const pool = new pg.Pool({ connectionString: url })
    return {
      transaction: work =>
        drizzle({ client: pool }).transaction(tx =>
          work(tx, async statement => tx.execute(drizzleSql.raw(statement))),
        ),
      close: () => pool.end(),
    }
  },
  Kysely: url => {
    const db = new Kysely<unknown>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }),
    })
    return {
      transaction: work =>
        db.transaction().execute(trx => work(trx, statement => kyselySql.raw(statement).execute(trx))),
      close: () => db.destroy(),
    }
  },
}

/** A database of its own on a real server, by library. */
export function postgresPlaces(server: PostgresServer): [string, OpenPlace][] {
  return Object.entries(CALLERS).map(([library, caller]) => [
    library,
    async () => {
      const database = await createDatabase(server)
      const engine = postgres({ url: database.url })
      await engine.batch([NOTES])
      const { transaction, close } = caller(database.url)
      return {
        engine,
        leavesEngineFree: true,
        transaction,
        async close() {
          await close()
          await engine.close()
          await database.drop()
        },
      }
    },
  ])
}
