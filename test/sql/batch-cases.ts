/** A batch is all or nothing, and says what it did. */
import { expect } from 'vitest'
import { type EngineCase, expectCode, keyedTable, keysIn } from './engine-case.ts'

export const BATCH_CASES: readonly EngineCase[] = [
  {
    title: 'runs the statements of a batch in order, each seeing what came before',
    run: async context => {
      const name = await keyedTable(context)
      const { applied, results } = await context.engine.batch([
        [`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'a', 1n],
        [`UPDATE ${name} SET v = v + ? WHERE k = ?`, 4n, 'a'],
        [`SELECT v FROM ${name} WHERE k = ?`, 'a'],
      ])
      expect(applied).toBe(true)
      expect(results).toEqual([
        { changes: 1, rows: [] },
        { changes: 1, rows: [] },
        { changes: 0, rows: [{ v: 5n }] },
      ])
    },
  },
  {
    title: 'undoes the first statement where the second fails',
    run: async context => {
      const name = await keyedTable(context)
      const insert = `INSERT INTO ${name} (k) VALUES (?)`
      await expectCode(
        context.engine.batch([
          [insert, 'a'],
          [insert, 'b'],
          [insert, 'a'],
        ]),
        'conflict',
      )
      expect(await keysIn(context.engine, name)).toEqual([])
    },
  },
  {
    title: 'undoes what changed the schema, too',
    run: async context => {
      const { engine } = context
      const name = context.table()
      const create = `CREATE TABLE ${name} (k ${engine.types.text} PRIMARY KEY)`
      await expectCode(
        engine.batch([[create], [`INSERT INTO ${name} (nowhere) VALUES (?)`, 1n]]),
        'invalid-argument',
      )
      await engine.batch([[create], [`INSERT INTO ${name} (k) VALUES (?)`, 'a']])
      expect(await keysIn(engine, name)).toEqual(['a'])
    },
  },
  {
    title: 'counts the rows that changed',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const put = `INSERT INTO ${name} (k, v) VALUES (?, ?) ON CONFLICT (k)`
      const { results } = await engine.batch([
        [`INSERT INTO ${name} (k, v) VALUES (?, ?), (?, ?), (?, ?)`, 'a', 1n, 'b', 2n, 'c', 3n],
        [`UPDATE ${name} SET v = 0 WHERE v > ?`, 1n],
        [`UPDATE ${name} SET v = 0 WHERE v > ?`, 100n],
        [`${put} DO NOTHING`, 'a', 9n],
        [`${put} DO UPDATE SET v = excluded.v`, 'a', 9n],
        [`CREATE TABLE ${name}_b (k ${engine.types.text} PRIMARY KEY)`],
        [`SELECT k FROM ${name} ORDER BY k`],
        [`DELETE FROM ${name}`],
        [`DELETE FROM ${name}`],
      ])
      expect(results?.map(result => result.changes)).toEqual([3, 2, 0, 0, 1, 0, 0, 3, 0])
    },
  },
  {
    title: 'gives the rows of RETURNING',
    run: async context => {
      const name = await keyedTable(context)
      const { results } = await context.engine.batch([
        [`INSERT INTO ${name} (k, v) VALUES (?, ?), (?, ?) RETURNING k, v`, 'a', 1n, 'b', 2n],
        [`UPDATE ${name} SET v = v + 1 WHERE k = ? RETURNING v AS after`, 'b'],
        [`UPDATE ${name} SET v = 0 WHERE k = ? RETURNING v`, 'nobody'],
        [`DELETE FROM ${name} WHERE k = ? RETURNING k`, 'a'],
      ])
      expect(results).toEqual([
        {
          changes: 2,
          rows: [
            { k: 'a', v: 1n },
            { k: 'b', v: 2n },
          ],
        },
        { changes: 1, rows: [{ after: 3n }] },
        { changes: 0, rows: [] },
        { changes: 1, rows: [{ k: 'a' }] },
      ])
    },
  },
  {
    title: 'takes tables named by WITH, in what reads and in what writes',
    run: async context => {
      const name = await keyedTable(context)
      const { results } = await context.engine.batch([
        [`INSERT INTO ${name} (k, v) VALUES (?, ?), (?, ?)`, 'a', 1n, 'b', 2n],
        [
          `WITH old AS (SELECT k FROM ${name} WHERE v < ?) DELETE FROM ${name} WHERE k IN (SELECT k FROM old)`,
          2n,
        ],
      ])
      expect(results?.[1]?.changes).toBe(1)
      const rows = await context.engine.query([
        `WITH all_rows AS (SELECT k FROM ${name}) SELECT k FROM all_rows`,
      ])
      expect(rows).toEqual([{ k: 'b' }])
    },
  },
  {
    title: 'takes a question mark in quotes or in a comment for what it is',
    run: async context => {
      const name = await keyedTable(context)
      await context.engine.batch([
        [
          `INSERT INTO ${name} (k, v) -- is this a parameter? it's not; 'nor this'\n VALUES ('it''s ? ; --', /* ? */ ?)`,
          3n,
        ],
      ])
      expect(await context.engine.query([`SELECT k, v AS "what?" FROM ${name} WHERE v = ?;`, 3n])).toEqual([
        { k: "it's ? ; --", 'what?': 3n },
      ])
    },
  },
  {
    title: 'takes an empty batch, a batch that must be durable, and many statements',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      expect(await engine.batch([])).toEqual({ applied: true, results: [] })
      const keys = Array.from({ length: 200 }, (_, index) => `k${String(index).padStart(3, '0')}`)
      await engine.batch(
        keys.map(key => [`INSERT INTO ${name} (k) VALUES (?)`, key] as const),
        { durable: true, timeoutMs: 30_000 },
      )
      expect(await keysIn(engine, name)).toEqual(keys)
    },
  },
  {
    title: 'takes a hundred parameters',
    run: async context => {
      const name = await keyedTable(context)
      const values = Array.from({ length: 100 }, (_, index) => BigInt(index))
      const marks = values.map(() => '?').join(', ')
      await context.engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'a', 99n]])
      expect(await context.engine.query([`SELECT k FROM ${name} WHERE v IN (${marks})`, ...values])).toEqual([
        { k: 'a' },
      ])
    },
  },
  {
    title: 'shows a client what it has written, and everybody else what they read linearizably',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const other = await context.fresh()
      for (let round = 0; round < 10; round++) {
        const key = `k${round}`
        await engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, key]])
        const sql = `SELECT k FROM ${name} WHERE k = ?`
        expect(await engine.query([sql, key])).toEqual([{ k: key }])
        expect(await other.query([sql, key], { consistency: 'linearizable' })).toEqual([{ k: key }])
      }
      expect(
        await other.query([`SELECT k FROM ${name} WHERE k = ?`, 'nobody'], { consistency: 'stale' }),
      ).toEqual([])
      await other.close()
    },
  },
]
