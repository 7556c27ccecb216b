import { describe, expect, test } from 'vitest'
import { HELD } from '../../../src/sql/engine.ts'
import { type SqliteDriver, sqliteDrivers } from './drivers.ts'
import { theFolder } from './the-folder.ts'

const folder = theFolder()
const HELD_INSERT = `INSERT INTO t (k) SELECT ? WHERE ${HELD}`

async function twoConnections({ open, database }: SqliteDriver) {
  const path = folder.path()
  const { engine, close } = open(path)
  await engine.batch([['CREATE TABLE t (k TEXT PRIMARY KEY)']])
  const theirs = database(path)
  return {
    engine,
    theirs,
    keys: async () => (await engine.query(['SELECT k FROM t ORDER BY k'])).map(row => row.k),
    async close() {
      theirs.close()
      await close()
    },
  }
}

for (const driver of await sqliteDrivers()) {
  describe(`join with ${driver.name}`, () => {
    test("changes rows with the caller's own, and only once they commit", async () => {
      const { engine, theirs, keys, close } = await twoConnections(driver)
      theirs.exec('BEGIN IMMEDIATE')
      theirs.exec("INSERT INTO t (k) VALUES ('theirs')")
      const joined = engine.join(theirs)
      const { applied, results } = await joined.batch([[HELD_INSERT, 'ours', 'op']], {
        id: 'op',
        condition: ['SELECT k FROM t WHERE k = ?', 'theirs'],
      })
      expect({ applied, results }).toEqual({ applied: true, results: [{ changes: 1, rows: [] }] })
      expect(await joined.query(['SELECT k FROM t ORDER BY k'])).toEqual([{ k: 'ours' }, { k: 'theirs' }])
      expect(await keys()).toEqual([])
      expect(await engine.outcome('op')).toBe(undefined)
      theirs.exec('COMMIT')
      expect(await keys()).toEqual(['ours', 'theirs'])
      expect(await engine.outcome('op')).toBe(true)
      await close()
    })

    test("rolls back with the caller's transaction", async () => {
      const { engine, theirs, keys, close } = await twoConnections(driver)
      theirs.exec('BEGIN')
      await engine.join(theirs).batch([[HELD_INSERT, 'ours', 'op']], { id: 'op' })
      theirs.exec('ROLLBACK')
      expect(await keys()).toEqual([])
      expect(await engine.outcome('op')).toBe(undefined)
      await close()
    })

    test("leaves the caller's transaction as it was where a statement fails or the condition does not hold", async () => {
      const { engine, theirs, keys, close } = await twoConnections(driver)
      theirs.exec('BEGIN')
      theirs.exec("INSERT INTO t (k) VALUES ('theirs')")
      const joined = engine.join(theirs)
      const twice = [HELD_INSERT, 'theirs', 'op'] as const
      await expect(joined.batch([[HELD_INSERT, 'x', 'op'], twice], { id: 'op' })).rejects.toMatchObject({
        code: 'conflict',
      })
      const condition = ['SELECT k FROM t WHERE k = ?', 'absent'] as const
      const refused = await joined.batch([[HELD_INSERT, 'y', 'refused']], { id: 'refused', condition })
      expect(refused.applied).toBe(false)
      theirs.exec('COMMIT')
      expect(await keys()).toEqual(['theirs'])
      expect(await engine.outcome('op')).toBe(undefined)
      expect(await engine.outcome('refused')).toBe(false)
      await close()
    })

    test('refuses a handle that is in no transaction, before and after', async () => {
      const { engine, theirs, close } = await twoConnections(driver)
      expect(() => engine.join(theirs)).toThrow(/BEGIN IMMEDIATE/)
      theirs.exec('BEGIN')
      const joined = engine.join(theirs)
      theirs.exec('COMMIT')
      await expect(joined.batch([], { id: 'op' })).rejects.toMatchObject({ code: 'invalid-argument' })
      await expect(joined.query(['SELECT 1'])).rejects.toMatchObject({ code: 'invalid-argument' })
      await close()
    })

    test('refuses a handle of another file, and one in memory', async () => {
      const { engine, close } = await twoConnections(driver)
      for (const path of [folder.path(), ':memory:']) {
        const other = driver.database(path)
        other.exec('BEGIN')
        expect(() => engine.join(other)).toThrow(/another database/)
        other.exec('ROLLBACK')
        other.close()
      }
      await close()
    })

    test('joins a transaction on the very database that the engine was given', async () => {
      const { engine, database, close } = driver.open(':memory:', { handed: true })
      await engine.batch([['CREATE TABLE t (k TEXT PRIMARY KEY)']])
      database?.exec('BEGIN')
      await engine.join(database).batch([[HELD_INSERT, 'a', 'op']], { id: 'op' })
      database?.exec('COMMIT')
      expect(await engine.query(['SELECT k FROM t'])).toEqual([{ k: 'a' }])
      await close()
    })
  })
}
