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

test('a run does not forget what a verification found at the destination alone, until it is gone or planned', async () => {
  const { from, to, verify, run, strays, status } = await migrated(many('a', 3))
  for (const key of ['x1', 'x2', 'x3']) await to.upload(key, 'extra')
  await verify()
  expect((await status()).phase).toBe('copied')
  expect(await run()).toMatchObject({ complete: false, statuses: { match: 3, 'missing-source': 3 } })
  await to.delete('x1')
  await from.upload('x2', 'extra')
  expect(await run()).toMatchObject({ complete: false, statuses: { match: 4, 'missing-source': 1 } })
  expect(await strays()).toEqual([{ side: 'destination', key: 'x3', size: 5 }])
  await to.delete('x3')
  expect(await run()).toMatchObject({ complete: true, statuses: { match: 4, 'missing-source': 0 } })
  expect((await status()).phase).toBe('verified')
})

test('a run keeps as they were found what it would take too many requests to look at again', async () => {
  const { to, verify, run, strays, calls } = await migrated(many('a', 1))
  const extra = Object.keys(many('x', 1300))
  for (const key of extra) await to.upload(key, 'extra')
  await verify()
  await to.deleteMany(extra)
  expect(await run()).toMatchObject({ complete: false })
  expect(await strays()).toHaveLength(300)
  expect(calls['to.info'] ?? 0).toBeLessThanOrEqual(1100)
  expect(await verify()).toMatchObject({ complete: true })
})

test('what was new at the source is planned by the next run, and no stray any more', async () => {
  const { from, verify, run, strays } = await migrated(many('a', 1))
  await from.upload('b', 'new')
  await from.upload('c', 'new')
  expect(await verify()).toMatchObject({ strays: { source: 2 } })
  await from.delete('c')
  expect(await run()).toMatchObject({ complete: true, copied: 1 })
  expect(await strays()).toEqual([])
})

test('a verification that is ended early forgets nothing of what the last one found', async () => {
  const { from, to, verify, strays, status } = await migrated(many('a', 3))
  await from.upload('b', 'new')
  for (const key of Object.keys(many('x', 450))) await to.upload(key, 'extra')
  await verify()
  const found = await strays()
  expect(found).toHaveLength(451)
  // Pages of another content: what the ended one has written must not be read as what was found.
  for (const key of Object.keys(many('w', 450))) await to.upload(key, 'later')
  for (const last of ['listing', 'verified']) {
    const ending = new AbortController()
    const ended = verify({
      signal: ending.signal,
      onEvent: ({ kind }) => {
        if (kind === last) ending.abort()
      },
    })
    await expect(ended).rejects.toMatchObject({ code: 'aborted' })
    expect((await status()).phase).toBe('copied')
    expect(await strays()).toEqual(found)
  }
  expect(await verify()).toMatchObject({ complete: false, strays: { source: 1, destination: 900 } })
  expect(await strays()).toHaveLength(901)
})

test('strays that were written down under one name for all are still read', async () => {
  const { manifest, verify, strays } = await migrated(many('a', 1))
  await manifest.setSetting('strays:0', JSON.stringify([{ side: 'destination', key: 'x', size: 1 }]))
  await manifest.setSetting('strays', JSON.stringify({ source: 0, destination: 1, pages: 1 }))
  expect(await strays()).toEqual([{ side: 'destination', key: 'x', size: 1 }])
  expect(await verify()).toMatchObject({ complete: true })
  expect(await strays()).toEqual([])
})
