/**
 * Where the engine can write beside the caller's transaction, on PostgreSQL: uploads inside it, and everybody else
 * while it is open.
 */

import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RecordsOptions } from '../../src/records/index.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { hasCode } from '../support/has-code.ts'
import { createDatabase, describeOnPostgres, type TestDatabase } from '../support/on-postgres.ts'
import { type Recorded, recorded } from '../support/recorded.ts'
import { endProblems, takeInventory } from './support/inventory.ts'

const LEASE_MS = 30_000

describeOnPostgres('beside a transaction of the caller’s', server => {
  let database: TestDatabase
  let pool: pg.Pool
  let engine: Engine
  let world: Recorded
  let client: pg.PoolClient

  beforeAll(async () => {
    database = await createDatabase(server)
    pool = new pg.Pool({ connectionString: database.url })
    // Its connections are ended by the drop of the database, where they are still closing.
    pool.on('error', () => {})
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })
  beforeEach(async () => {
    await pool.query(
      'DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE notes (id TEXT PRIMARY KEY)',
    )
    engine = postgres({ url: database.url })
    openFiles()
    await world.files.recover()
    client = await pool.connect()
    await client.query('BEGIN')
  })
  afterEach(async () => {
    await client.query('ROLLBACK')
    client.release()
    await engine.close()
  })

  function openFiles(options: RecordsOptions = {}): void {
    world = recorded({ throughEngine: () => engine, leaseMs: LEASE_MS, patienceMs: 1_000, ...options })
  }
  const text = async (key: string) => (await world.files.download(key)).text()
  async function expectClean(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      world.advance(3_700_000)
      await world.files.recover({ waitForLeases: true })
    }
    expect(endProblems(await takeInventory(world.store, engine))).toEqual([])
  }
  async function signedUpload(key: string, body: string): Promise<string> {
    const { uploadId } = await world.files.signedUpload(key, { expiresIn: 60 })
    const [staged] = (await world.files.jobs()).filter(job => job.kind === 'staged' && job.key === key)
    await world.store.upload(staged!.physical, body)
    return uploadId!
  }

  /** All that can be done inside. */
  async function doAll(): Promise<string[]> {
    const { files } = world
    const options = { transaction: client }
    const done = [
      await files.upload('uploaded.txt', 'uploaded', options),
      await files.copy('source.txt', 'copied.txt', options),
      await files.move('moved-from.txt', 'moved.txt', options),
      await files.finalize(await signedUpload('finalized.txt', 'finalized'), options),
      await files.restore('deleted.txt', options),
    ]
    await client.query("INSERT INTO notes VALUES ('all')")
    return done.map(info => info.etag!)
  }

  async function prepareAll(): Promise<void> {
    openFiles({ restoreMs: 86_400_000, replaceGraceMs: 0 })
    const { files } = world
    for (const key of ['uploaded.txt', 'source.txt', 'moved-from.txt', 'deleted.txt'])
      await files.upload(key, `the ${key}`)
    await files.delete('deleted.txt')
  }

  test('uploads, copies, moves, finalizes and restores with the commit; each etag settles what it replaced', async () => {
    await prepareAll()
    const { files } = world
    const etags = await doAll()
    expect(await text('uploaded.txt')).toBe('the uploaded.txt')
    for (const key of ['copied.txt', 'moved.txt', 'finalized.txt', 'deleted.txt'])
      expect(await files.exists(key)).toBe(false)
    await client.query('COMMIT')
    expect(await text('uploaded.txt')).toBe('uploaded')
    expect(await text('copied.txt')).toBe('the source.txt')
    expect(await text('moved.txt')).toBe('the moved-from.txt')
    expect(await text('finalized.txt')).toBe('finalized')
    expect(await text('deleted.txt')).toBe('the deleted.txt')
    expect(await files.exists('moved-from.txt')).toBe(false)
    expect((await files.jobs()).filter(job => job.kind === 'replaced')).toHaveLength(2)
    for (const etag of etags) await files.settle(etag)
    expect((await files.jobs()).filter(job => job.kind === 'replaced')).toEqual([])
    await expectClean()
  })

  test('leaves all as it was with the rollback', async () => {
    await prepareAll()
    const { files } = world
    await doAll()
    await client.query('ROLLBACK')
    expect(await text('uploaded.txt')).toBe('the uploaded.txt')
    expect(await text('moved-from.txt')).toBe('the moved-from.txt')
    expect(await files.deleted()).toHaveLength(1)
    for (const key of ['copied.txt', 'moved.txt', 'finalized.txt', 'deleted.txt'])
      expect(await files.exists(key)).toBe(false)
    expect((await pool.query('SELECT * FROM notes')).rows).toEqual([])
    world.advance(LEASE_MS + 1)
    await files.recover({ waitForLeases: true })
    expect((await files.jobs()).map(job => job.kind)).not.toContain('write')
    await files.restore('deleted.txt')
    await expectClean()
    expect(await text('uploaded.txt')).toBe('the uploaded.txt')
  })

  test('answers at once what a condition refuses where it is published, and goes on', async () => {
    const { files } = world
    const options = { transaction: client, ifNoneMatch: '*' } as const
    await files.upload('a.txt', 'a')
    const uploadId = await signedUpload('a.txt', 'sent')
    await expect(files.finalize(uploadId, options)).rejects.toSatisfy(hasCode('already-exists'))
    const twice = await signedUpload('b.txt', 'sent')
    await files.finalize(twice, options)
    await expect(files.finalize(twice, options)).rejects.toSatisfy(hasCode('already-exists'))
    await files.delete('a.txt', { transaction: client })
    await files.copy('b.txt', 'a.txt', options)
    await client.query('COMMIT')
    expect(await text('a.txt')).toBe('sent')
    await expectClean()
    expect(await world.stored()).toHaveLength(2)
  })

  test.each(['COMMIT', 'ROLLBACK'])(
    'stays open for longer than the lease while others recover, until its %s',
    async end => {
      const { files } = world
      await files.upload('replaced.txt', 'old')
      await files.upload('deleted.txt', 'old')
      await files.upload('replaced.txt', 'new', { transaction: client })
      await files.delete('deleted.txt', { transaction: client })
      const stopped = world.another()
      const silent = await stopped.prepareUpload('silent.txt', 'of a process that has stopped')
      const other = world.another()
      await other.recover()
      world.advance(LEASE_MS + 1)
      const began = performance.now()
      // The one that is held, it leaves alone; the other one it does.
      expect(await other.recover()).toMatchObject({ worked: 1 })
      expect(performance.now() - began).toBeLessThan(15_000)
      expect(await other.recover()).toMatchObject({ worked: 0 })
      await expect(stopped.publish(silent)).rejects.toSatisfy(hasCode('conflict'))
      await client.query(end)
      const committed = end === 'COMMIT'
      expect(await text('replaced.txt')).toBe(committed ? 'new' : 'old')
      expect(await files.exists('deleted.txt')).toBe(!committed)
      await expectClean()
      expect(await text('replaced.txt')).toBe(committed ? 'new' : 'old')
    },
  )

  test('lets a second transaction on the same key wait, and decides by what the first has left', async () => {
    const { files } = world
    const { etag } = await files.upload('a.txt', 'first')
    const second = await pool.connect()
    await second.query('BEGIN')
    await files.upload('a.txt', 'by the first', { transaction: client, ifMatch: etag! })
    let ended = false
    const end = () => {
      ended = true
    }
    const waiting = files.upload('a.txt', 'by the second', { transaction: second, ifMatch: etag! })
    const answer = expect(waiting.finally(end)).rejects.toSatisfy(hasCode('precondition-failed'))
    // Until it is seen to wait for the lock.
    for (;;) {
      const { rows } = await pool.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
      if (rows.length > 0) break
    }
    expect(ended).toBe(false)
    await client.query('COMMIT')
    await answer
    await second.query('ROLLBACK')
    second.release()
    expect(await text('a.txt')).toBe('by the first')
    await expectClean()
    expect(await world.stored()).toHaveLength(1)
  })

  test('ends one of two transactions that wait for each other, and the other one commits', async () => {
    const { files } = world
    const second = await pool.connect()
    await second.query('BEGIN')
    await files.upload('a.txt', 'first', { transaction: client })
    await files.upload('b.txt', 'second', { transaction: second })
    const crossing = async (key: string, own: pg.PoolClient) => {
      try {
        await files.upload(key, 'crossing', { transaction: own })
        await own.query('COMMIT')
      } catch (error) {
        // PostgreSQL has ended one of the two; the other goes on when that one is rolled back.
        await own.query('ROLLBACK')
        throw error
      }
    }
    const results = await Promise.allSettled([crossing('b.txt', client), crossing('a.txt', second)])
    second.release()
    const failed = results.filter(result => result.status === 'rejected')
    expect(failed).toHaveLength(1)
    for (const { reason } of failed) expect(reason).toSatisfy(hasCode('conflict'))
    await expectClean()
  })
})
