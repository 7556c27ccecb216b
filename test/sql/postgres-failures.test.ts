/** What breaks between the engine and a real server, and what stands in its way there. */
import pg from 'pg'
import postgresJs from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine, Statement } from '../../src/sql/engine.ts'
import { type PostgresClient, postgres } from '../../src/sql/postgres/index.ts'
import { hasCode } from '../support/has-code.ts'
import { createDatabase, describeOnPostgres, type TestDatabase } from '../support/on-postgres.ts'
import { type PostgresProxy, postgresProxy } from '../support/postgres-proxy.ts'

/** As a statement and as the server's name for what it has done; no part of `READ COMMITTED`. */
const COMMIT = 'COMMIT\0'
/** The number by which the server knows a request to cancel. */
const CANCEL = '\x04\xd2\x16\x2e'

const CLIENTS: Readonly<
  Record<string, (url: string, max?: number) => [client: PostgresClient, end: () => Promise<void>]>
> = {
  pg: url => {
    const pool = new pg.Pool({ connectionString: url, max: 8 })
    pool.on('error', () => {})
    return [pool, () => pool.end()]
  },
  'postgres.js': url => {
    const sql = postgresJs(url, { max: 8, onnotice: () => {} })
    return [sql, () => sql.end({ timeout: 5 })]
  },
}

describeOnPostgres('a real server', server => {
  for (const [kind, connect] of Object.entries(CLIENTS)) {
    describe(`with ${kind}`, () => {
      let database: TestDatabase
      let proxy: PostgresProxy
      let engine: Engine
      let direct: pg.Client
      let endClient: () => Promise<void>
      beforeAll(async () => {
        database = await createDatabase(server)
        direct = new pg.Client(database.url)
        await direct.connect()
        const settings = ["deadlock_timeout = '50ms'", 'synchronous_commit = off']
        const name = new URL(database.url).pathname.slice(1)
        for (const setting of settings) await direct.query(`ALTER DATABASE ${name} SET ${setting}`)
        proxy = await postgresProxy(database.url)
        const [client, end] = connect(proxy.url)
        endClient = end
        engine = postgres({ client })
        const { text, integer } = engine.types
        await engine.batch([[`CREATE TABLE rows (k ${text} PRIMARY KEY, v ${integer})`]])
        await engine.batch([], { id: 'warm-up' })
      })
      afterAll(async () => {
        await Promise.all([endClient(), direct.end()])
        await proxy.close()
        await database.drop()
      })

      let keys = 0
      const newKey = () => `key-${++keys}`
      const insert = (k: string): Statement => ['INSERT INTO rows (k, v) VALUES (?, ?)', k, 1n]
      const count = async (k: string) =>
        (await direct.query('SELECT count(*)::int AS number FROM rows WHERE k = $1', [k])).rows[0].number

      test('resolves an answer to COMMIT that was lost by the id', async () => {
        for (const guard of ['abort', 'data'] as const) {
          const k = newKey()
          proxy.breakAt(COMMIT, 'after')
          expect(await engine.batch([insert(k)], { id: k, guard })).toEqual({
            applied: true,
            results: undefined,
          })
          expect(await count(k)).toBe(1)
        }
      })

      test('sends a batch again whose COMMIT never arrived, and once only', async () => {
        for (const when of ['before', 'reset'] as const) {
          const k = newKey()
          proxy.breakAt(COMMIT, when, 2)
          const { applied } = await engine.batch([insert(k)], { id: k })
          expect(applied).toBe(true)
          expect(await count(k)).toBe(1)
        }
      })

      test('says pending without an id, where the answer to COMMIT was lost', async () => {
        for (const when of ['before', 'reset', 'after'] as const) {
          const k = newKey()
          proxy.breakAt(COMMIT, when)
          await expect(engine.batch([insert(k)])).rejects.toSatisfy(hasCode('pending'))
          expect(await count(k)).toBe(when === 'after' ? 1 : 0)
        }
      })

      test('says pending with an id, where the server can not be asked either', async () => {
        const k = newKey()
        proxy.breakAt(k, 'before', 1_000)
        await expect(engine.batch([insert(k)], { id: k })).rejects.toSatisfy(hasCode('pending'))
        proxy.breakAt('', 'before', 0)
        expect(await engine.outcome(k)).toBe(undefined)
      })

      test('says unavailable, and nothing has happened, where the connection breaks before COMMIT', async () => {
        for (const options of [{}, { id: newKey(), timeoutMs: 60_000 }]) {
          const k = newKey()
          proxy.breakAt(k, 'before')
          await expect(engine.batch([insert(k)], options)).rejects.toSatisfy(hasCode('unavailable'))
          expect(await count(k)).toBe(0)
        }
      })

      test('reads again where a connection breaks', async () => {
        for (const when of ['before', 'reset'] as const) {
          proxy.breakAt('SELECT 42', when)
          expect(await engine.query(['SELECT 42 AS answer'])).toEqual([{ answer: 42n }])
        }
      })

      test('sends a batch again that a deadlock has ended', async () => {
        const [a, b] = [newKey(), newKey()]
        await engine.batch([insert(a), insert(b)])
        // Both wait here with one row in hand, and then want the other's.
        await direct.query('SELECT pg_advisory_lock(42)')
        const add = (k: string): Statement => ['UPDATE rows SET v = v + 1 WHERE k = ?', k]
        const meet: Statement = ['SELECT pg_advisory_xact_lock_shared(42) AS met']
        const both = Promise.all([
          engine.batch([add(a), meet, add(b)], { id: newKey() }),
          engine.batch([add(b), meet, add(a)], { id: newKey() }),
        ])
        const waiting =
          "SELECT count(*)::int AS number FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while ((await direct.query(waiting)).rows[0].number < 2);
        await direct.query('SELECT pg_advisory_unlock(42)')
        expect((await both).map(answer => answer.applied)).toEqual([true, true])
        const { rows } = await direct.query('SELECT v::int FROM rows WHERE k IN ($1, $2)', [a, b])
        expect(rows).toEqual([{ v: 3 }, { v: 3 }])
      })

      test('waits for a lock no longer than it may, and then nothing happens', async () => {
        const [name, late, aborted] = [newKey(), newKey(), newKey()]
        await direct.query('BEGIN')
        await engine.join(direct).batch([], { id: newKey(), locks: [name] })
        await expect(
          engine.batch([insert(late)], { id: late, locks: [name], timeoutMs: 100 }),
        ).rejects.toSatisfy(hasCode('timeout'))
        const controller = new AbortController()
        const leaving = engine.batch([insert(aborted)], {
          id: aborted,
          locks: [name],
          signal: controller.signal,
        })
        controller.abort()
        await expect(leaving).rejects.toSatisfy(hasCode('aborted'))
        await direct.query('COMMIT')
        // Waits for whoever still has the lock.
        expect((await engine.batch([], { id: newKey(), locks: [name] })).applied).toBe(true)
        expect([await count(late), await count(aborted)]).toEqual([0, 0])
        expect(await engine.outcome(late)).toBe(undefined)
      })

      test('outlives the connection that was to cancel a statement', async () => {
        const [name, late] = [newKey(), newKey()]
        await direct.query('BEGIN')
        await engine.join(direct).batch([], { id: newKey(), locks: [name] })
        proxy.breakAt(CANCEL, 'reset')
        await expect(
          engine.batch([insert(late)], { id: late, locks: [name], timeoutMs: 100 }),
        ).rejects.toSatisfy(hasCode('timeout'))
        await direct.query('COMMIT')
        expect((await engine.batch([], { id: newKey(), locks: [name] })).applied).toBe(true)
        expect(await count(late)).toBe(0)
      })

      test('has its only connection again after a caller has left', async () => {
        const [client, end] = connect(database.url, 1)
        const engine = postgres({ client })
        const [name, k] = [newKey(), newKey()]
        await direct.query('BEGIN')
        await engine.join(direct).batch([], { id: newKey(), locks: [name] })
        for (let round = 0; round < 3; round++) {
          const controller = new AbortController()
          const leaving = engine.batch([insert(k), insert(k)], {
            id: k,
            locks: [name],
            signal: controller.signal,
          })
          const waiting =
            "SELECT count(*)::int AS number FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
          while ((await direct.query(waiting)).rows[0].number < 1);
          controller.abort()
          await expect(leaving).rejects.toSatisfy(hasCode('aborted'))
          expect(await engine.query(['SELECT 1 AS one'])).toEqual([{ one: 1n }])
        }
        await direct.query('COMMIT')
        await engine.batch([], { id: newKey(), locks: [name] })
        expect(await count(k)).toBe(0)
        await end()
      })

      test('has the disk waited for where a batch must be durable', async () => {
        const ask: Statement = ["SELECT current_setting('synchronous_commit') AS setting"]
        const settings = [false, true].map(async durable => {
          const { results } = await engine.batch([ask], { durable })
          return results![0]!.rows[0]!.setting
        })
        expect(await Promise.all(settings)).toEqual(['off', 'on'])
      })

      test('lets the server end what takes too long', async () => {
        const [client, end] = connect(database.url)
        const hasty = postgres({ client, statementTimeoutMs: 20 })
        const sleep: Statement = ['SELECT pg_sleep(60) AS slept']
        await expect(hasty.batch([sleep])).rejects.toSatisfy(hasCode('timeout'))
        await expect(hasty.query(sleep)).rejects.toSatisfy(hasCode('timeout'))
        expect(await hasty.query(['SELECT 1 AS one'])).toEqual([{ one: 1n }])
        await end()
      })

      test('makes the operations table once where many begin at once', async () => {
        const empty = await createDatabase(server)
        const clients = Array.from({ length: 8 }, () => connect(empty.url))
        const answers = await Promise.all(
          clients.map(([client], index) =>
            postgres({ client, schema: index % 2 === 0 ? 'one' : 'two' }).batch([], { id: `first-${index}` }),
          ),
        )
        expect(answers.every(answer => answer.applied)).toBe(true)
        await Promise.all(clients.map(([, end]) => end()))
        await empty.drop()
      })

      test('has its statements sent together', async () => {
        const [client, end] = connect(proxy.url, 1)
        const engine = postgres({ client })
        const batch = (k: string) => {
          const statements = Array.from({ length: 20 }, (_, index) => insert(`${k}-${index}`))
          return engine.batch(statements, { id: k, locks: ['sent together'] })
        }
        await batch(newKey())
        const before = proxy.exchanges()
        await batch(newKey())
        // One; a client may write in two or three pieces, and the first may be answered before the last is written.
        expect(proxy.exchanges() - before).toBeLessThanOrEqual(3)
        await end()
      })
    })
  }

  test('says that nobody listens, and that a user or a database is not known', async () => {
    const codes: unknown[] = []
    for (const url of [
      'postgres://stowage@127.0.0.1:1/postgres',
      server.url.replace('stowage@', 'nobody-here@'),
      server.url.replace(/[^/]+$/, 'nowhere'),
    ]) {
      const engine = postgres({ url })
      codes.push(await engine.batch([['SELECT 1 AS one']]).catch(error => error.code))
      await engine.close()
    }
    expect(codes).toEqual(['unavailable', 'unauthenticated', 'invalid-argument'])
  })
})
