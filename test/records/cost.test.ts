/** What records cost in calls: to the store, and to the database. Counts, not times: they are the same everywhere. */
import { expect, it } from 'vitest'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward, intercept } from '../../src/decorators/forward.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { forwardEngine } from '../support/forward-engine.ts'
import { recorded } from '../support/recorded.ts'

const FIVE_MINUTES = 5 * 60_000

it('deletes 10,000 files with at most 12 requests to delete and 30 to the database, and asks for no key', async () => {
  const { files, calls, stored } = await counted()
  const keys = numbered(10_000)
  for (let at = 0; at < keys.length; at += 100)
    await Promise.all(keys.slice(at, at + 100).map(key => files.upload(key, key)))
  calls.clear()
  const results = await files.deleteMany(keys)
  const { deleteMany = 0, 'engine.batch': batches = 0, 'engine.query': queries = 0, ...others } = told(calls)
  expect(deleteMany).toBeLessThanOrEqual(12)
  expect(batches + queries).toBeLessThanOrEqual(30)
  expect(others).toEqual({})
  expect(results.every(({ status }) => status === 'deleted')).toBe(true)
  expect(await stored()).toEqual([])
})

it('deletes one file with one request to the store and three to the database', async () => {
  const { files, calls } = await counted()
  await files.upload('a.txt', 'bytes')
  calls.clear()
  await files.delete('a.txt')
  expect(told(calls)).toEqual({ deleteMany: 1, 'engine.batch': 2, 'engine.query': 1 })
})

it.each(['a new file', 'a replaced file'])('uploads %s with two batches and no question', async what => {
  const { files, calls } = await counted()
  if (what === 'a replaced file') await files.upload('a.txt', 'before')
  calls.clear()
  await files.upload('a.txt', 'bytes', { metadata: { album: 'summer' } })
  expect(told(calls)).toEqual({ upload: 1, 'engine.batch': 2 })
})

it('asks for the store’s time once in five minutes, however many files come and go', async () => {
  const { files, calls, advance } = await counted()
  for (const key of numbered(20)) await files.upload(key, key)
  await files.deleteMany(numbered(20))
  expect(told(calls).clock).toBeUndefined()
  advance(FIVE_MINUTES + 1)
  await Promise.all(numbered(20).map(key => files.upload(key, key)))
  expect(told(calls).clock).toBe(1)
})

it('tells about 500 files with one query and no request', async () => {
  const { files, calls } = await counted()
  const keys = numbered(500)
  await Promise.all(keys.map(key => files.upload(key, key)))
  calls.clear()
  const results = await files.infoMany(keys)
  expect(told(calls)).toEqual({ 'engine.query': 1 })
  expect(results.map(result => result.ok && result.value.size)).toEqual(keys.map(key => key.length))
})

it('tells about one file, lists and finds with a query each and no request', async () => {
  const { files, calls } = await counted()
  await files.upload('a.txt', 'bytes')
  calls.clear()
  await files.info('a.txt')
  expect(told(calls)).toEqual({ 'engine.query': 1 })
  await files.exists('a.txt')
  expect(told(calls)).toEqual({ 'engine.query': 2 })
  for await (const _ of files.list());
  expect(told(calls)).toEqual({ 'engine.query': 3 })
  for await (const _ of files.find({ contentType: 'text/*' }));
  expect(told(calls)).toEqual({ 'engine.query': 4 })
})

/** Files of a process that has begun: its tenant is known, and the store's time. */
async function counted() {
  const calls = new Map<string, number>()
  const count = (name: string) => void calls.set(name, (calls.get(name) ?? 0) + 1)
  const world = recorded({
    through: store => countedStore(store, count),
    throughEngine: engine => countedEngine(engine, count),
  })
  await world.files.upload('first', 'bytes')
  await world.files.delete('first')
  expect(told(calls)).toMatchObject({ clock: 1, upload: 1, deleteMany: 1 })
  calls.clear()
  return { ...world, calls }
}

function countedStore(store: StorageProvider, count: (name: string) => void): StorageProvider {
  const calls = intercept(store, ({ operation, options }, run) => {
    count(operation)
    return run(options)
  })
  return forward(store, {
    ...calls,
    download(key, options) {
      count('download')
      return store.download(key, options)
    },
  })
}

function countedEngine(engine: Engine, count: (name: string) => void): Engine {
  return forwardEngine(engine, {
    batch(statements, options) {
      count('engine.batch')
      return engine.batch(statements, options)
    },
    query(statement, options) {
      count('engine.query')
      return engine.query(statement, options)
    },
    outcome(id, options) {
      count('engine.outcome')
      return engine.outcome(id, options)
    },
    forget(before) {
      count('engine.forget')
      return engine.forget(before)
    },
    join(transaction) {
      count('engine.join')
      return engine.join(transaction)
    },
  })
}

const told = (calls: ReadonlyMap<string, number>): Record<string, number> => Object.fromEntries(calls)

const numbered = (count: number) => Array.from({ length: count }, (_, at) => `folder/${at}.txt`)
