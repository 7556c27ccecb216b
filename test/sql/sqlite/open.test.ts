import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type SqliteOptions, sqlite } from '../../../src/sql/sqlite/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { libsql } from './drivers.ts'
import { theFolder } from './the-folder.ts'

const folder = theFolder()

test.each<[string, unknown, RegExp]>([
  ['no path', {}, /path must name the database file/],
  ['an empty path', { path: '' }, /path must name the database file/],
  ['an unknown option', { path: 'a', durable: true }, /unknown option 'durable'/],
  ['an unknown library', { path: 'a', driver: 'sqlite3' }, /driver must be one of/],
  ['what is no database', { driver: {} }, /open database/],
  ['both a path and a database', { path: 'a', driver: { prepare() {}, exec() {} } }, /not both/],
  ['an unknown durability', { path: 'a', durability: 'none' }, /full or normal/],
  ['a time that is none', { path: 'a', busyTimeoutMs: -1 }, /busyTimeoutMs/],
])('refuses %s', (_, options, problem) => {
  expect(() => sqlite(options as SqliteOptions)).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  )
  expect(() => sqlite(options as SqliteOptions)).toThrow(problem)
})

test('names what to install where the library is not there', async () => {
  const engine = sqlite({ path: folder.path(), driver: 'better-sqlite3' })
  await expect(engine.query(['SELECT 1'])).rejects.toThrow(/npm install better-sqlite3/)
})

test('opens a database by itself, with no library named', async () => {
  const engine = sqlite({ path: ':memory:' })
  expect(await engine.query(['SELECT 1 AS one'])).toEqual([{ one: 1n }])
  await engine.close()
})

test('closes without having been opened, and leaves no file', async () => {
  const path = join(dirname(folder.path()), 'nowhere', 'test.db')
  await sqlite({ path }).close()
})

test('says that the file cannot be opened, and opens it once it can', async () => {
  const path = join(dirname(folder.path()), 'later', 'test.db')
  const { engine, close } = libsql.open(path)
  await expect(engine.query(['SELECT 1'])).rejects.toMatchObject({ code: 'unavailable', retryable: false })
  mkdirSync(dirname(path))
  expect(await engine.query(['SELECT 1 AS one'])).toEqual([{ one: 1n }])
  await close()
})

test('says that a file is no database, and leaves it as it is', async () => {
  const path = folder.path()
  writeFileSync(path, 'x'.repeat(10_000))
  const { engine, close } = libsql.open(path)
  await expect(engine.query(['SELECT 1'])).rejects.toThrow(/not an SQLite database/)
  await close()
})

test('leaves a database open that it was given', async () => {
  const { engine, database } = libsql.open(folder.path(), { handed: true })
  await engine.query(['SELECT 1'])
  await engine.close()
  await expect(engine.query(['SELECT 1'])).rejects.toSatisfy(hasCode('invalid-argument'))
  expect(database?.prepare('SELECT 1 AS one').all()).toEqual([{ one: 1 }])
  database?.close()
})

test('takes the time of an operation from the clock it was given', async () => {
  const { engine, close } = libsql.open(folder.path(), { now: () => 1_000 })
  await engine.batch([], { id: 'a' })
  expect(await engine.forget(1_000)).toBe(0)
  expect(await engine.forget(1_001)).toBe(1)
  await close()
})

test('forgets nothing and knows no outcome where nobody has given an id', async () => {
  const { engine, close } = libsql.open(folder.path())
  expect(await engine.forget(1)).toBe(0)
  expect(await engine.outcome('a')).toBe(undefined)
  await close()
})
