import { describe, expect, test } from 'vitest'
import { engineCases } from './engine-cases.ts'
import { missingDrivers, sqliteDrivers } from './sqlite/drivers.ts'
import { theFolder } from './sqlite/the-folder.ts'

const folder = theFolder()

for (const { name, open } of await sqliteDrivers()) {
  engineCases(`sqlite with ${name}`, async () => {
    const path = folder.path()
    const first = open(path)
    const others: (typeof first)[] = []
    return {
      engine: first.engine,
      fresh: async () => {
        const other = open(path)
        others.push(other)
        return other.engine
      },
      close: async () => {
        for (const { close } of [first, ...others]) await close()
      },
    }
  })

  describe(`sqlite with ${name}`, () => {
    test('writes ahead, syncs each commit and keeps foreign keys', async () => {
      const path = folder.path()
      const { engine, close } = open(path)
      const { types } = engine
      await engine.batch([
        [`CREATE TABLE parents (k ${types.text} PRIMARY KEY)`],
        [`CREATE TABLE children (k ${types.text} PRIMARY KEY, p ${types.text} REFERENCES parents (k))`],
      ])
      const pragmas = 'SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous'
      expect(await engine.query([pragmas])).toEqual([{ journal_mode: 'wal', synchronous: 2n }])
      const orphan = engine.batch([['INSERT INTO children (k, p) VALUES (?, ?)', 'a', 'nobody']])
      await expect(orphan).rejects.toMatchObject({ code: 'conflict' })
      await close()
    })

    test('takes a trigger, and refuses what stands behind it', async () => {
      const { engine, close } = open(folder.path())
      const trigger =
        'CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET v = CASE v WHEN 1 THEN 2 ELSE 3 END; UPDATE a SET v = v + 1; END'
      await engine.batch([[`CREATE TABLE a (v ${engine.types.integer})`], [`${trigger};`]])
      await engine.batch([['INSERT INTO a (v) VALUES (?)', 1n]])
      expect(await engine.query(['SELECT v FROM a'])).toEqual([{ v: 3n }])
      await expect(engine.batch([[`${trigger}; DROP TABLE a`]])).rejects.toMatchObject({
        code: 'invalid-argument',
      })
      await close()
    })

    test('says that the disk is full, undoes that batch alone, and goes on', async () => {
      const { engine, database, close } = open(folder.path(), { handed: true })
      await engine.batch([[`CREATE TABLE a (k ${engine.types.integer} PRIMARY KEY, v ${engine.types.blob})`]])
      database?.prepare('PRAGMA max_page_count = 20').all()
      const insert = 'INSERT INTO a (k, v) VALUES (?, ?)'
      const answers = await Promise.allSettled([
        engine.batch([[insert, 1n, new Uint8Array(10)]]),
        engine.batch([[insert, 2n, new Uint8Array(1_000_000)]]),
        engine.batch([[insert, 3n, new Uint8Array(10)]]),
      ])
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(answers[1]).toMatchObject({ reason: { code: 'unavailable', retryable: false } })
      expect(await engine.query(['SELECT k FROM a ORDER BY k'])).toEqual([{ k: 1n }, { k: 3n }])
      await close()
    })
  })
}

for (const [name, reason] of await missingDrivers()) {
  test(`sqlite with ${name} [skipped: ${reason}]`, context => context.skip(reason))
}
