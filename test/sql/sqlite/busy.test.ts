import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/sql/engine.ts'
import { hasCode } from '../../support/has-code.ts'
import { type SqliteDriver, sqliteDrivers } from './drivers.ts'
import { theFolder } from './the-folder.ts'

const folder = theFolder()
const INSERT = 'INSERT INTO t (k) VALUES (?)'

/** An engine whose database another connection has begun to write. */
async function heldBy({ open, database }: SqliteDriver, busyTimeoutMs: number) {
  const path = folder.path()
  const { engine, close } = open(path, { busyTimeoutMs })
  await engine.batch([['CREATE TABLE t (k TEXT PRIMARY KEY)']])
  const holder = database(path)
  holder.exec('BEGIN IMMEDIATE')
  return {
    engine,
    release: () => holder.exec('ROLLBACK'),
    async close() {
      holder.close()
      await close()
    },
  }
}

async function keys(engine: Engine) {
  return (await engine.query(['SELECT k FROM t ORDER BY k'])).map(row => row.k)
}

for (const driver of await sqliteDrivers()) {
  const heldDatabase = (busyTimeoutMs: number) => heldBy(driver, busyTimeoutMs)

  describe(`a held database with ${driver.name}`, () => {
    test('waits for another connection, and lets the process go on meanwhile', async () => {
      const { engine, release, close } = await heldDatabase(60_000)
      const write = engine.batch([[INSERT, 'a']])
      const several = engine.batch(
        [
          [INSERT, 'b'],
          [INSERT, 'c'],
        ],
        { id: 'op' },
      )
      // A read does not wait for who writes.
      expect(await keys(engine)).toEqual([])
      release()
      expect((await write).applied).toBe(true)
      expect((await several).applied).toBe(true)
      expect(await keys(engine)).toEqual(['a', 'b', 'c'])
      await close()
    })

    test('gives up after busyTimeoutMs with nothing written, and may be tried again', async () => {
      const { engine, release, close } = await heldDatabase(10)
      const answers = await Promise.allSettled([engine.batch([[INSERT, 'a']]), engine.batch([[INSERT, 'b']])])
      for (const answer of answers)
        expect(answer).toMatchObject({ reason: { code: 'unavailable', retryable: true } })
      await expect(engine.batch([[INSERT, 'a']])).rejects.toSatisfy(hasCode('unavailable'))
      release()
      expect(await keys(engine)).toEqual([])
      await engine.batch([[INSERT, 'a']])
      expect(await keys(engine)).toEqual(['a'])
      await close()
    })

    test('gives up at once where busyTimeoutMs is 0', async () => {
      const { engine, close } = await heldDatabase(0)
      await expect(engine.batch([[INSERT, 'a']])).rejects.toSatisfy(hasCode('unavailable'))
      await close()
    })

    test("ends with timeout after the call's own timeoutMs, with nothing written", async () => {
      const { engine, release, close } = await heldDatabase(60_000)
      await expect(engine.batch([[INSERT, 'a']], { timeoutMs: 15 })).rejects.toSatisfy(hasCode('timeout'))
      release()
      expect(await keys(engine)).toEqual([])
      await close()
    })

    test('ends with aborted for the one whose signal ends while it waits', async () => {
      const { engine, release, close } = await heldDatabase(60_000)
      const controller = new AbortController()
      const aborted = engine.batch([[INSERT, 'a']], { signal: controller.signal })
      const other = engine.batch([[INSERT, 'b']])
      controller.abort()
      await expect(aborted).rejects.toSatisfy(hasCode('aborted'))
      release()
      await other
      expect(await keys(engine)).toEqual(['b'])
      await close()
    })

    test("waits while the database it was given is inside the caller's own transaction, and stays out of it", async () => {
      const { engine, database, close } = driver.open(folder.path(), { handed: true, busyTimeoutMs: 10 })
      await engine.batch([['CREATE TABLE t (k TEXT PRIMARY KEY)']])
      database?.exec('BEGIN')
      await expect(engine.batch([[INSERT, 'a']])).rejects.toThrow(/inside a transaction of yours/)
      const later = engine.batch([[INSERT, 'b']], { timeoutMs: 60_000 })
      database?.exec('ROLLBACK')
      await later
      expect(await keys(engine)).toEqual(['b'])
      await close()
    })
  })
}
