import { expect, test } from 'vitest'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { libsql } from './drivers.ts'
import { recordingDatabase } from './recording-database.ts'
import { theFolder } from './the-folder.ts'

const folder = theFolder()
const INSERT = 'INSERT INTO t (k) VALUES (?)'

async function recordingEngine(durability?: 'full' | 'normal') {
  const recorder = recordingDatabase(folder.path())
  const engine = sqlite({ driver: recorder.database, durability })
  await engine.batch([['CREATE TABLE t (k TEXT PRIMARY KEY)']])
  recorder.ran()
  return {
    engine,
    ...recorder,
    keys: async () => (await engine.query(['SELECT k FROM t ORDER BY k'])).map(row => row.k),
  }
}

test('commits once for all batches of one turn of the event loop, each in its savepoint', async () => {
  const { engine, ran } = await recordingEngine()
  await Promise.all(['a', 'b', 'c'].map(key => engine.batch([[INSERT, key]])))
  const each = ['SAVEPOINT stowage_batch', INSERT, 'RELEASE stowage_batch']
  expect(ran().filter(sql => !sql.startsWith('PRAGMA'))).toEqual([
    'BEGIN IMMEDIATE',
    ...each,
    ...each,
    ...each,
    'COMMIT',
  ])
})

test('needs no transaction of its own for a single statement, and no savepoint for a single batch', async () => {
  const { engine, ran } = await recordingEngine()
  await engine.batch([[INSERT, 'a']])
  expect(ran().filter(sql => !sql.startsWith('PRAGMA'))).toEqual([INSERT])
  await engine.batch([
    [INSERT, 'b'],
    [INSERT, 'c'],
  ])
  expect(ran().filter(sql => !sql.startsWith('PRAGMA'))).toEqual([
    'BEGIN IMMEDIATE',
    INSERT,
    INSERT,
    'COMMIT',
  ])
})

test('commits more than a hundred and twenty-eight batches in several transactions', async () => {
  const { engine, ran, keys } = await recordingEngine()
  await Promise.all(Array.from({ length: 300 }, (_, n) => engine.batch([[INSERT, `k${n}`]])))
  expect(ran().filter(sql => sql === 'COMMIT')).toHaveLength(3)
  expect(await keys()).toHaveLength(300)
})

test('syncs a durable batch and its neighbours under durability normal, and no other', async () => {
  const { engine, ran } = await recordingEngine('normal')
  const settings = () => ran().filter(sql => sql.startsWith('PRAGMA') || sql === 'COMMIT')
  await Promise.all([engine.batch([[INSERT, 'a']]), engine.batch([[INSERT, 'b']], { durable: true })])
  expect(settings()).toEqual(['PRAGMA synchronous = FULL', 'COMMIT'])
  await Promise.all([engine.batch([[INSERT, 'c']]), engine.batch([[INSERT, 'd']])])
  expect(settings()).toEqual(['PRAGMA synchronous = NORMAL', 'COMMIT'])
  await engine.batch([[INSERT, 'e']], { durable: true })
  expect(await engine.query(['SELECT synchronous FROM pragma_synchronous'])).toEqual([{ synchronous: 2n }])
  await engine.batch([[INSERT, 'f']])
  expect(await engine.query(['SELECT synchronous FROM pragma_synchronous'])).toEqual([{ synchronous: 1n }])
})

test('fails all batches of a commit that fails, and says that nothing happened', async () => {
  const { engine, fail, keys } = await recordingEngine()
  fail('COMMIT', 'SQLITE_FULL')
  const answers = await Promise.allSettled(['a', 'b', 'a'].map(key => engine.batch([[INSERT, key]])))
  // The third broke a constraint by a row that is not there: it must not be told so.
  for (const answer of answers)
    expect(answer).toMatchObject({ reason: { code: 'unavailable', retryable: false } })
  expect(await keys()).toEqual([])
  await engine.batch([[INSERT, 'a']])
  expect(await keys()).toEqual(['a'])
})

test('answers pending where the disk failed at the commit', async () => {
  const { engine, fail } = await recordingEngine()
  fail('COMMIT', 'SQLITE_IOERR_FSYNC')
  const answers = await Promise.allSettled(['a', 'b'].map(key => engine.batch([[INSERT, key]])))
  for (const answer of answers) expect(answer).toMatchObject({ reason: { code: 'pending' } })
})

test('lets only the batch fail whose deferred foreign key breaks the commit that it shares', async () => {
  const { engine } = libsql.open(folder.path())
  await engine.batch([
    ['CREATE TABLE p (k TEXT PRIMARY KEY)'],
    ['CREATE TABLE c (k TEXT PRIMARY KEY, p TEXT REFERENCES p (k) DEFERRABLE INITIALLY DEFERRED)'],
  ])
  const child = (key: string) => ['INSERT INTO c (k, p) VALUES (?, ?)', key, key] as const
  const parent = (key: string) => ['INSERT INTO p (k) VALUES (?)', key] as const
  const answers = await Promise.allSettled([
    engine.batch([child('a'), parent('a')]),
    engine.batch([child('b')], { id: 'op-b' }),
    engine.batch([child('c'), parent('c')], { id: 'op-c' }),
  ])
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(answers[1]).toMatchObject({ reason: { code: 'conflict' } })
  expect(await engine.query(['SELECT k FROM c ORDER BY k'])).toEqual([{ k: 'a' }, { k: 'c' }])
  expect(await engine.outcome('op-b')).toBe(undefined)
  expect(await engine.outcome('op-c')).toBe(true)
  await engine.close()
})

test('runs the neighbours again where a statement rolls the whole transaction back', async () => {
  const { engine, keys } = await recordingEngine()
  await engine.batch([[INSERT, 'taken']])
  const answers = await Promise.allSettled([
    engine.batch([[INSERT, 'a']], { id: 'op-a' }),
    engine.batch(
      [
        [INSERT, 'x'],
        ['INSERT OR ROLLBACK INTO t (k) VALUES (?)', 'taken'],
      ],
      { id: 'op-x' },
    ),
    engine.batch([[INSERT, 'b']], { id: 'op-b' }),
  ])
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await keys()).toEqual(['a', 'b', 'taken'])
  expect([await engine.outcome('op-a'), await engine.outcome('op-x'), await engine.outcome('op-b')]).toEqual([
    true,
    undefined,
    true,
  ])
})

test('answers what was asked for before close', async () => {
  const path = folder.path()
  const { engine } = libsql.open(path)
  await engine.batch([['CREATE TABLE t (k TEXT PRIMARY KEY)']])
  const writes = Promise.all(['a', 'b'].map(key => engine.batch([[INSERT, key]])))
  // The first step of a batch is to see whether the database is open.
  await Promise.resolve()
  await Promise.resolve()
  await engine.close()
  await writes
  const other = libsql.open(path)
  expect(await other.engine.query(['SELECT k FROM t'])).toHaveLength(2)
  await other.close()
})
