import { expect, test } from 'vitest'
import { migrated } from './migrated.ts'

const many = (prefix: string, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, String(at)]))

test('objects that nobody planned are all kept, however many, and forgotten when they are gone', async () => {
  const { to, verify, strays } = await migrated(many('a', 3))
  const extra = Object.keys(many('x', 450))
  for (const key of extra) await to.upload(key, 'extra')
  expect(await verify()).toMatchObject({
    complete: false,
    strays: { source: 0, destination: 450 },
    statuses: { match: 3, 'missing-source': 450 },
  })
  const found = await strays()
  expect(found.map(({ key }) => key)).toEqual(extra.sort())
  expect(found[0]).toEqual({ side: 'destination', key: 'x0', size: 5 })
  await to.deleteMany(extra)
  expect(await verify()).toMatchObject({ complete: true, strays: { source: 0, destination: 0 } })
  expect(await strays()).toEqual([])
})

test('what a filter or the key conversion leaves out is no stray', async () => {
  const { from, verify, strays } = await migrated(
    { 'a/1': 'one', 'b/2': 'two', 'a/3.tmp': 'three' },
    {
      exclude: ['**/*.tmp'],
      keys: key => (key.startsWith('a/') ? `new/${key}` : undefined),
      destinationPrefix: 'new/',
    },
  )
  expect(await verify()).toMatchObject({ complete: true, objects: 1 })
  await from.upload('a/4.tmp', '')
  await from.upload('b/5', '')
  await from.upload('a/6', 'six')
  expect(await verify()).toMatchObject({ complete: false })
  expect(await strays()).toEqual([{ side: 'source', key: 'a/6', size: 3 }])
})

test('only the part of the destination that is moved to is looked through', async () => {
  const { to, verify, strays } = await migrated(
    { 'a/1': 'one' },
    { keys: key => `new/${key}`, destinationPrefix: 'new/' },
  )
  await to.upload('old/1', 'of another')
  expect(await verify()).toMatchObject({ complete: true })
  await to.upload('new/2', 'of another')
  await verify()
  expect(await strays()).toEqual([{ side: 'destination', key: 'new/2', size: 10 }])
})

test('a copy whose source has gone since is on one side only, until it is deleted', async () => {
  const { from, to, verify, run, strays } = await migrated(many('a', 3))
  await from.delete('a1')
  await run()
  expect(await verify()).toMatchObject({ complete: false, objects: 2, strays: { destination: 1 } })
  expect(await strays()).toEqual([{ side: 'destination', key: 'a1', size: 1 }])
  await to.delete('a1')
  expect(await verify()).toMatchObject({ complete: true, objects: 2 })
})

test('an object that comes back after it was gone has to be planned again', async () => {
  const { from, to, verify, run, strays } = await migrated(many('a', 3))
  await from.delete('a1')
  await run()
  await to.delete('a1')
  await from.upload('a1', 'back')
  expect(await verify()).toMatchObject({ complete: false })
  expect(await strays()).toEqual([{ side: 'source', key: 'a1', size: 4 }])
  await run()
  expect(await verify()).toMatchObject({ complete: true, objects: 3 })
})

test('two source keys that want one place are both missing there, and the others match', async () => {
  const { verify, statuses, strays } = await migrated(
    { A: 'one', B: 'two', C: 'three' },
    { keys: key => (key === 'C' ? 'c' : 'ab') },
  )
  expect(await verify()).toMatchObject({ complete: false })
  expect(await statuses()).toEqual({ A: 'missing-destination', B: 'missing-destination', C: 'match' })
  expect(await strays()).toEqual([])
})
