/** Batches in a transaction of the caller's, whichever library holds it and whatever parsers it has set. */
import { PGlite } from '@electric-sql/pglite'
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgresJs from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, HELD, type JoinedTransaction, type Statement } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { hasCode } from '../support/has-code.ts'
import { createDatabase, describeOnPostgres } from '../support/on-postgres.ts'

/** A client of the caller's. `transaction` commits after `work`, and rolls back where it throws. */
interface Caller {
  transaction(work: (tx: unknown) => Promise<void>): Promise<void>
  end(): Promise<void>
}

/** Parsers that lose something, as users set them. */
const LOSSY = { getTypeParser: () => (text: string) => Number.parseFloat(text) }

function pgCaller(pool: pg.Pool): Caller['transaction'] {
  return async work => {
    const client = await pool.connect()
    await client.query('BEGIN')
    try {
      await work(client)
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
}

const CALLERS: Readonly<Record<string, (url: string) => Caller>> = {
  'a pg client': url => {
    const pool = new pg.Pool({ connectionString: url })
    return { transaction: pgCaller(pool), end: () => pool.end() }
  },
  'a pg client with parsers that lose something': url => {
    const pool = new pg.Pool({ connectionString: url, types: LOSSY as never })
    return { transaction: pgCaller(pool), end: () => pool.end() }
  },
  'a pg client in pipeline mode': url => {
    const pool = new pg.Pool({ connectionString: url, pipeline: true } as pg.PoolConfig)
    return { transaction: pgCaller(pool), end: () => pool.end() }
  },
  'a postgres.js transaction': url => {
    const sql = postgresJs(url)
    return { transaction: async work => void (await sql.begin(work)), end: () => sql.end() }
  },
  'a postgres.js transaction with names in camel case': url => {
    const sql = postgresJs(url, { transform: postgresJs.camel })
    return { transaction: async work => void (await sql.begin(work)), end: () => sql.end() }
  },
  'a reserved connection of postgres.js': url => {
    const sql = postgresJs(url)
    const transaction: Caller['transaction'] = async work => {
      const reserved = await sql.reserve()
      await reserved`BEGIN`
      try {
        await work(reserved)
        await reserved`COMMIT`
      } catch (error) {
        await reserved`ROLLBACK`
        throw error
      } finally {
        reserved.release()
      }
    }
    return { transaction, end: () => sql.end() }
  },
  'a Drizzle transaction over pg': url => {
    const pool = new pg.Pool({ connectionString: url })
    return { transaction: work => drizzlePg({ client: pool }).transaction(work), end: () => pool.end() }
  },
  'a Drizzle transaction over postgres.js': url => {
    const sql = postgresJs(url)
    return { transaction: work => drizzlePostgresJs({ client: sql }).transaction(work), end: () => sql.end() }
  },
  'a Kysely transaction': url => {
    const db = new Kysely({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }),
      plugins: [new CamelCasePlugin()],
    })
    return { transaction: work => db.transaction().execute(work), end: () => db.destroy() }
  },
}

/** One of each way to make a savepoint. */
const WITH_A_SCHEMA = ['a pg client', 'a postgres.js transaction', 'a Drizzle transaction over postgres.js']

interface Joining {
  readonly engine: Engine
  readonly caller: Caller
}

const EXTREMES = {
  largest: 2n ** 63n - 1n,
  smallest: -(2n ** 63n),
  minus_zero: -0,
  whole: 1,
  third: 1 / 3,
  every_byte: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  no_byte: new Uint8Array(0),
  emoji_text: "x'41' 😀 \\x41",
  empty_text: '',
  nothing: null,
}

let ids = 0
const newId = () => `joined-${++ids}`

/** `caller` is on the database of `engine`, which has a table `notes (k, v)`. */
function joinCases(joining: () => Joining): void {
  const insert = (k: string, id: string): Statement => [
    `INSERT INTO notes (k, v) SELECT ?, ? WHERE ${HELD}`,
    k,
    7n,
    id,
  ]
  const has = async (k: string) =>
    (await joining().engine.query(['SELECT k FROM notes WHERE k = ?', k])).length === 1

  const inTransaction = (work: (joined: JoinedTransaction) => Promise<void>) => {
    const { caller, engine } = joining()
    return caller.transaction(tx => work(engine.join(tx)))
  }

  test('commits with the caller, the id included', async () => {
    const id = newId()
    await inTransaction(async joined => {
      const answer = await joined.batch([insert(id, id), ['SELECT v FROM notes WHERE k = ?', id]], { id })
      expect(answer).toEqual({
        applied: true,
        results: [
          { changes: 1, rows: [] },
          { changes: 0, rows: [{ v: 7n }] },
        ],
      })
    })
    expect(await has(id)).toBe(true)
    expect(await joining().engine.outcome(id)).toBe(true)
  })

  test('is undone with the caller, the id included', async () => {
    const id = newId()
    const rollback = inTransaction(async joined => {
      expect((await joined.batch([insert(id, id)], { id })).applied).toBe(true)
      throw new Error('the caller changes its mind')
    })
    await expect(rollback).rejects.toThrow('the caller changes its mind')
    expect(await has(id)).toBe(false)
    expect(await joining().engine.outcome(id)).toBe(undefined)
  })

  test('leaves the transaction usable where the condition does not hold, and remembers the refusal', async () => {
    const [refused, after] = [newId(), newId()]
    await inTransaction(async joined => {
      const condition: Statement = ['SELECT 1 FROM notes WHERE k = ?', 'nobody']
      expect(await joined.batch([insert(refused, refused)], { id: refused, condition })).toEqual({
        applied: false,
        results: undefined,
      })
      await joined.batch([insert(after, after)], { id: after })
    })
    expect([await has(refused), await has(after)]).toEqual([false, true])
    expect(await joining().engine.outcome(refused)).toBe(false)
  })

  test('does nothing for an id that it has seen, in this transaction or before', async () => {
    const id = newId()
    const again = { applied: true, results: undefined }
    await inTransaction(async joined => {
      await joined.batch([insert(id, id)], { id })
      expect(await joined.batch([insert('twice', id)], { id })).toEqual(again)
    })
    await inTransaction(async joined => {
      expect(await joined.batch([insert('twice', id)], { id })).toEqual(again)
    })
    expect(await has('twice')).toBe(false)
  })

  test('leaves the transaction as it was where one of its own statements fails', async () => {
    const [before, failed, after] = [newId(), newId(), newId()]
    await inTransaction(async joined => {
      await joined.batch([insert(before, before)], { id: before })
      const twice = [insert(failed, failed), insert(failed, failed)]
      await expect(joined.batch(twice, { id: failed })).rejects.toSatisfy(hasCode('conflict'))
      await expect(joined.query(['SELECT nowhere FROM notes'])).rejects.toSatisfy(hasCode('invalid-argument'))
      await joined.batch([insert(after, after)], { id: after })
    })
    expect([await has(before), await has(failed), await has(after)]).toEqual([true, false, true])
    expect(await joining().engine.outcome(failed)).toBe(undefined)
  })

  test('gives every value to the last bit', async () => {
    await inTransaction(async joined => {
      const names = Object.keys(EXTREMES)
      const columns = names.map(name => `? AS ${name}`).join(', ')
      const [row] = await joined.query([`SELECT ${columns}`, ...Object.values(EXTREMES)])
      expect(row).toStrictEqual(EXTREMES)
      expect(Object.keys(row!)).toEqual(names)
    })
  })

  test('gives the rows of RETURNING, counts changes, and reads truths and sums as SQLite does', async () => {
    const id = newId()
    await inTransaction(async joined => {
      const { results } = await joined.batch(
        [
          [
            `INSERT INTO notes (k, v) VALUES (?, ?), (?, ?) RETURNING k AS new_key, v`,
            `${id}a`,
            1n,
            `${id}b`,
            null,
          ],
          ['UPDATE notes SET v = 5 WHERE k = ?', `${id}b`],
          ['DELETE FROM notes WHERE k = ?', 'nobody'],
          [
            'SELECT SUM(v) AS total, COUNT(*) AS number, AVG(v) AS mean, 1 = 1 AS yes FROM notes WHERE k LIKE ?',
            `${id}%`,
          ],
        ],
        { id },
      )
      expect(results).toEqual([
        {
          changes: 2,
          rows: [
            { new_key: `${id}a`, v: 1n },
            { new_key: `${id}b`, v: null },
          ],
        },
        { changes: 1, rows: [] },
        { changes: 0, rows: [] },
        { changes: 0, rows: [{ total: 6n, number: 2n, mean: 3, yes: 1n }] },
      ])
    })
  })

  test('runs calls that overlap one after the other', async () => {
    const together = [newId(), newId(), newId(), newId()]
    await inTransaction(async joined => {
      const answers = await Promise.all([
        ...together.map(id => joined.batch([insert(id, id)], { id })),
        joined.query(['SELECT COUNT(*) AS number FROM notes WHERE k = ?', together[0]!]),
      ])
      expect(answers.at(-1)).toEqual([{ number: 1n }])
    })
    expect(await Promise.all(together.map(has))).toEqual([true, true, true, true])
  })

  test('takes its locks in the transaction', async () => {
    const id = newId()
    await inTransaction(async joined => {
      await joined.batch([], { id, locks: [`${id}-a`, `${id}-b`, `${id}-a`] })
      const [row] = await joined.query([
        "SELECT COUNT(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
      ])
      expect(row!.locks).toBe(2n)
    })
  })
}

async function makeNotes(engine: Engine): Promise<void> {
  const { text, integer } = engine.types
  await engine.batch([[`CREATE TABLE notes (k ${text} PRIMARY KEY, v ${integer})`]])
}

describe('joins a PGlite transaction', () => {
  const db = new PGlite()
  const engine = postgres({ client: db })
  beforeAll(() => makeNotes(engine))
  afterAll(() => db.close())
  joinCases(() => ({ engine, caller: { transaction: work => db.transaction(work), end: async () => {} } }))

  test('refuses the database itself, and whatever it does not know', () => {
    expect(() => engine.join(db)).toThrow(/no open transaction; give the tx/)
    expect(() => engine.join(drizzlePglite({ client: db }))).toThrow(
      /Drizzle's database is no open transaction/,
    )
    expect(() => engine.join(new pg.Pool())).toThrow(/a pg.Pool is no open transaction/)
    expect(() => engine.join(postgresJs())).toThrow(/the sql of postgres.js is no open transaction/)
    expect(() => engine.join({ query() {} })).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })
})

describe('joins a Drizzle transaction over PGlite', () => {
  const db = new PGlite()
  const engine = postgres({ client: db })
  beforeAll(() => makeNotes(engine))
  afterAll(() => db.close())
  const caller: Caller = {
    transaction: work => drizzlePglite({ client: db }).transaction(work),
    end: async () => {},
  }
  joinCases(() => ({ engine, caller }))
})

describeOnPostgres('joins', server => {
  for (const [name, open] of Object.entries(CALLERS)) {
    for (const schema of WITH_A_SCHEMA.includes(name) ? [undefined, 'files'] : [undefined]) {
      describe(schema === undefined ? name : `${name}, with a schema of its own`, () => {
        let joining: Joining
        let end: () => Promise<void>
        beforeAll(async () => {
          const database = await createDatabase(server)
          const engine = postgres({ url: database.url, max: 3, schema })
          const caller = open(database.url)
          await makeNotes(engine)
          joining = { engine, caller }
          end = async () => {
            await Promise.all([engine.close(), caller.end()])
            await database.drop()
          }
        })
        afterAll(() => end())
        joinCases(() => joining)
      })
    }
  }

  describe('a pg client', () => {
    let url: string
    let engine: Engine
    let client: pg.Client
    let end: () => Promise<void>
    beforeAll(async () => {
      const database = await createDatabase(server)
      url = database.url
      engine = postgres({ url, schema: 'files' })
      client = new pg.Client(url)
      await client.connect()
      end = async () => {
        await Promise.all([engine.close(), client.end()])
        await database.drop()
      }
    })
    afterAll(() => end())

    test('is refused where no transaction is open, and stays usable', async () => {
      await expect(engine.join(client).batch([], { id: newId() })).rejects.toThrow(
        /send BEGIN first \(25P01\)/,
      )
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    })

    test('is refused in REPEATABLE READ, where conditions would see an old state', async () => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      await expect(engine.join(client).batch([], { id: newId() })).rejects.toThrow(/open it READ COMMITTED/)
      await client.query('ROLLBACK')
    })

    test('finds its own tables after a batch in another schema', async () => {
      await client.query('BEGIN')
      await client.query('CREATE TABLE own_table (k text)')
      await engine.join(client).batch([['CREATE TABLE inner_table (k TEXT)']], { id: newId() })
      await client.query("INSERT INTO own_table VALUES ('a')")
      await client.query('COMMIT')
      const { rows } = await client.query(
        "SELECT schemaname, tablename FROM pg_tables WHERE tablename IN ('own_table', 'inner_table') ORDER BY tablename",
      )
      expect(rows).toEqual([
        { schemaname: 'files', tablename: 'inner_table' },
        { schemaname: 'public', tablename: 'own_table' },
      ])
    })

    test('makes the operations table in the transaction where nobody has, and again where that was undone', async () => {
      const fresh = postgres({ url, schema: 'fresh' })
      for (const ending of ['ROLLBACK', 'COMMIT']) {
        const id = newId()
        await client.query('BEGIN')
        expect((await fresh.join(client).batch([], { id })).applied).toBe(true)
        await client.query(ending)
        expect(await fresh.outcome(id)).toBe(ending === 'COMMIT' ? true : undefined)
        // The question has made the table; the next round shall find none.
        if (ending === 'ROLLBACK') await client.query('DROP SCHEMA fresh CASCADE')
      }
      await fresh.close()
    })
  })
})
