/** What an engine refuses, it refuses before anything happens, and says why without showing a value. */
import { expect } from 'vitest'
import type { BatchOptions, QueryOptions, Statement } from '../../src/sql/engine.ts'
import { type EngineCase, expectCode, keyedTable, keysIn } from './engine-case.ts'

/** Statements that no engine takes, by what they are. */
const STATEMENTS: readonly (readonly [name: string, statement: (table: string) => Statement])[] = [
  ['what is no SQL', () => ['selekt']],
  ['an empty statement', () => [' ']],
  ['a table that does not exist', table => [`INSERT INTO ${table}_nowhere (k) VALUES (?)`, 'a']],
  ['a column that does not exist', table => [`INSERT INTO ${table} (nowhere) VALUES (?)`, 'a']],
  ['a parameter too few', table => [`INSERT INTO ${table} (k, v) VALUES (?, ?)`, 'a']],
  ['a parameter too many', table => [`INSERT INTO ${table} (k) VALUES (?)`, 'a', 1n]],
  ['two statements in one', table => [`DELETE FROM ${table}; DELETE FROM ${table}`]],
  ['a transaction of the caller', () => ['BEGIN']],
  ['a commit of the caller', () => ['COMMIT']],
  ['a rollback of the caller', () => ['ROLLBACK']],
]

const BATCH_OPTIONS: readonly (readonly [name: string, options: unknown])[] = [
  ['an option it does not know', { durabel: true }],
  ['a guard it does not know', { id: 'a', guard: 'none' }],
  ['a condition without an id', { condition: ['SELECT 1'] }],
  ['a condition that is no SELECT', { id: 'a', condition: ['DELETE FROM stowage_operations'] }],
  ['an empty id', { id: '' }],
  ['an id that is no text', { id: 1n }],
  ['an id with a lone surrogate', { id: 'a\ud800' }],
  ['locks that are no names', { locks: [1] }],
  ['a lock wait of no time', { lockWaitMs: 0 }],
  ['a time limit that is none', { timeoutMs: 0 }],
  ['a signal that is none', { signal: {} }],
]

export const REFUSAL_CASES: readonly EngineCase[] = [
  ...STATEMENTS.map(
    ([what, statement]): EngineCase => ({
      title: `refuses ${what} and undoes the batch`,
      run: async context => {
        const { engine } = context
        const name = await keyedTable(context)
        const insert = `INSERT INTO ${name} (k) VALUES (?)`
        await expectCode(
          engine.batch([[insert, 'before'], statement(name), [insert, 'after']]),
          'invalid-argument',
        )
        expect(await keysIn(engine, name)).toEqual([])
        await engine.batch([[insert, 'works']])
        expect(await keysIn(engine, name)).toEqual(['works'])
      },
    }),
  ),
  ...BATCH_OPTIONS.map(
    ([what, options]): EngineCase => ({
      title: `refuses ${what} in a batch`,
      run: async context => {
        const name = await keyedTable(context)
        const insert: Statement = [`INSERT INTO ${name} (k) VALUES (?)`, 'a']
        await expectCode(context.engine.batch([insert], options as BatchOptions), 'invalid-argument')
        expect(await keysIn(context.engine, name)).toEqual([])
      },
    }),
  ),
  {
    title: 'refuses options of a query that it does not know',
    run: async ({ engine }) => {
      await expectCode(
        engine.query(['SELECT 1 AS one'], { consistent: true } as QueryOptions),
        'invalid-argument',
      )
      await expectCode(
        engine.query(['SELECT 1 AS one'], { consistency: 'strong' } as unknown as QueryOptions),
        'invalid-argument',
      )
    },
  },
  {
    title: 'refuses to ask for what is no id, and to forget before what is no time',
    run: async ({ engine }) => {
      for (const id of ['', 'a\ud800', undefined])
        await expectCode(engine.outcome(id as string), 'invalid-argument')
      for (const before of [Number.NaN, Number.POSITIVE_INFINITY])
        await expectCode(engine.forget(before), 'invalid-argument')
    },
  },
  {
    title: 'refuses an id with NUL where its text holds none',
    run: async ({ engine }) => {
      await engine.query(['SELECT 1 AS one'])
      const asking = engine.outcome('a\0b')
      if (engine.textHoldsNul) return expect(await asking).toBe(undefined)
      await expectCode(asking, 'invalid-argument')
      await expectCode(engine.batch([], { id: 'a\0b' }), 'invalid-argument')
    },
  },
  {
    title: 'refuses a statement that is no array',
    run: async ({ engine }) => {
      for (const statement of [undefined, null, 'SELECT 1', { sql: 'SELECT 1' }]) {
        await expectCode(engine.query(statement as unknown as Statement), 'invalid-argument')
        await expectCode(engine.batch([statement as unknown as Statement]), 'invalid-argument')
      }
    },
  },
  {
    title: 'refuses a query that writes',
    run: async context => {
      const name = await keyedTable(context)
      await expectCode(
        context.engine.query([`INSERT INTO ${name} (k) VALUES (?) RETURNING k`, 'a']),
        'invalid-argument',
      )
      expect(await keysIn(context.engine, name)).toEqual([])
    },
  },
  {
    title: 'calls a broken constraint a conflict, shows no value, and does not ask for another try',
    run: async context => {
      const { engine } = context
      const { types } = engine
      const name = context.table()
      await engine.batch([
        [
          `CREATE TABLE ${name} (k ${types.text} PRIMARY KEY, v ${types.integer} NOT NULL, w ${types.integer}, CONSTRAINT ${name}_w CHECK (w > 0))`,
        ],
        [`INSERT INTO ${name} (k, v) VALUES (?, ?)`, 'secret-value', 1n],
      ])
      const insert = `INSERT INTO ${name} (k, v, w) VALUES (?, ?, ?)`
      const broken: Statement[] = [
        [insert, 'secret-value', 1n, 1n],
        [insert, 'secret-other', null, 1n],
        [insert, 'secret-third', 1n, -5n],
      ]
      for (const statement of broken) {
        const error = await engine.batch([statement]).catch(thrown => thrown)
        expect(error).toMatchObject({ name: 'StorageError', code: 'conflict', retryable: false })
        expect(error).toMatchObject({ provider: engine.name, operation: 'batch' })
        expect(`${error.message} ${error.cause}`).not.toMatch(/secret/)
      }
    },
  },
  {
    title: 'does nothing for a signal that has ended',
    run: async context => {
      const { engine } = context
      const name = await keyedTable(context)
      const signal = AbortSignal.abort()
      await expectCode(engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, 'a']], { signal }), 'aborted')
      await expectCode(engine.query([`SELECT k FROM ${name}`], { signal }), 'aborted')
      await expectCode(engine.outcome('a', { signal }), 'aborted')
      expect(await keysIn(engine, name)).toEqual([])
    },
  },
  {
    title: 'refuses to join what is no transaction',
    run: async ({ engine }) => {
      expect(() => engine.join({})).toThrow(expect.objectContaining({ code: 'unsupported' }))
      expect(() => engine.join(undefined)).toThrow(expect.objectContaining({ code: 'unsupported' }))
    },
  },
  {
    title: 'refuses every call after close, and closes once however often it is asked',
    run: async ({ fresh }) => {
      const engine = await fresh()
      expect(await engine.query(['SELECT 1 AS one'])).toHaveLength(1)
      await Promise.all([engine.close(), engine.close()])
      await engine.close()
      await expectCode(engine.batch([['SELECT 1 AS one']]), 'invalid-argument')
      await expectCode(engine.query(['SELECT 1 AS one']), 'invalid-argument')
      await expectCode(engine.outcome('a'), 'invalid-argument')
      await expectCode(engine.forget(0), 'invalid-argument')
    },
  },
]
