import { expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

/** A bucket that had no records, its cut-over, and the records above. */
async function world() {
  const [from, to] = [memory(), memory()]
  for (const key of ['read.txt', 'replaced.txt', 'deleted.txt', 'never asked for.txt'])
    await from.upload(key, key)
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine })
  const options = { root: '', adoptMet: true, env: {}, replaceGraceMs: 0 }
  return { from, to, engine, store, options, files: withRecords(store, engine, options) }
}

it('makes files of objects without records as they are met, and of the rest while they are copied', async () => {
  const { from, to, engine, store, options, files } = await world()
  await store.advance()
  expect(await (await files.download('read.txt')).text()).toBe('read.txt')
  const { etag } = await files.upload('replaced.txt', 'new')
  await files.delete('deleted.txt')
  await store.advance()
  expect(await store.backfill()).toMatchObject({ adopted: 1, failed: 0 })
  expect(await store.backfill()).toMatchObject({ adopted: 0, failed: 0 })
  const live = ['never asked for.txt', 'read.txt', `replaced.${etag}.txt`]
  for (const side of [from, to])
    expect(
      (await side.list().page()).items.flatMap(item => (item.kind === 'object' ? [item.key] : [])),
    ).toEqual(expect.arrayContaining(live))
  await store.advance()
  expect(await store.verify()).toMatchObject({ matched: true, checked: 3, strangers: 0 })
  for (let phase = 4; phase <= 5; phase++) await store.advance()
  expect(await store.verify({ level: 'content' })).toMatchObject({ matched: true, checked: 3 })
  await store.advance()
  const after = withRecords(to, engine, options)
  expect(await (await after.download('never asked for.txt')).text()).toBe('never asked for.txt')
  expect(await after.exists('deleted.txt')).toBe(false)
  expect((await after.audit()).findings).toEqual([])
  await files.close()
})

it('copies what has no record and makes no file of it, where that was not asked for', async () => {
  const { from, to } = await world()
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine })
  const files = withRecords(store, engine, { root: '', env: {} })
  expect(await files.exists('read.txt')).toBe(false)
  for (let phase = 1; phase <= 2; phase++) await store.advance()
  expect(await store.backfill()).toMatchObject({ adopted: 0, copied: 4 })
  expect(await files.exists('read.txt')).toBe(false)
  await files.close()
})

it('makes no file of what the destination alone has', async () => {
  const { to, store, files } = await world()
  for (let phase = 1; phase <= 5; phase++) {
    await store.advance()
    if (phase === 2) await store.backfill()
    if (phase === 3) await store.verify()
  }
  await to.upload('of others.txt', 'x')
  expect((await store.status()).phase).toBe('destination-first')
  expect(await files.exists('of others.txt')).toBe(false)
  expect(await files.exists('read.txt')).toBe(true)
  await files.close()
})

it('makes no file of what lies at the source below the root of a record set that has another store', async () => {
  const [from, to, other] = [memory(), memory(), memory()]
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine })
  const files = withRecords(store, engine, { tenant: 'a', adoptMet: true, env: {} })
  const others = withRecords(other, engine, { tenant: 'b', adoptMet: true, env: {} })
  for (const each of [files, others]) await each.exists('nothing.txt')
  await from.upload('a/old.txt', 'old')
  await from.upload('b/left behind.txt', 'left behind')
  await from.upload('b/both.txt', 'stale')
  await other.upload('b/both.txt', 'the bytes that b has')
  for (let phase = 1; phase <= 2; phase++) await store.advance()
  expect(await store.backfill()).toMatchObject({ listed: 3, copied: 3, adopted: 1 })
  expect((await files.list().page()).items).toMatchObject([{ key: 'old.txt' }])
  expect((await others.list().page()).items).toEqual([])
  expect(await others.exists('left behind.txt')).toBe(false)
  expect(await (await others.download('both.txt')).text()).toBe('the bytes that b has')
  await files.close()
})

it('makes files for a record set that was told so before the cut-over was put below it', async () => {
  const { from, store, engine, options } = await world()
  await withRecords(from, engine, options).exists('nothing.txt')
  const files = withRecords(store, engine, { root: '', env: {} })
  for (let phase = 1; phase <= 2; phase++) await store.advance()
  expect(await store.backfill()).toMatchObject({ adopted: 4 })
  expect((await files.list().page()).items).toHaveLength(4)
  await files.close()
})

it('makes files where the backfill is run by who calls the stores otherwise than the application', async () => {
  const { from, to, store, engine, files } = await world()
  await files.exists('nothing.txt')
  for (let phase = 1; phase <= 2; phase++) await store.advance()
  // As memories of two processes: of names made anew nobody can tell that they are others.
  const [alias, otherAlias] = [from, to].map(side =>
    Object.defineProperty(forward(side, {}), 'location', { value: memory().location }),
  )
  const there = cutOver({ from: alias!, to: otherAlias!, engine })
  expect(await there.backfill()).toMatchObject({ adopted: 4 })
  await files.close()
})

it('loses nothing where it is not known in which store a record set meets objects: they are met later', async () => {
  const { to, engine, store, options, files } = await world()
  await files.exists('nothing.txt')
  await engine.batch([["UPDATE t_default__settings SET value = '1' WHERE name = 'adopt_met'"]])
  for (let phase = 1; phase <= 2; phase++) await store.advance()
  expect(await store.backfill()).toMatchObject({ adopted: 0, copied: 4 })
  await store.advance()
  expect(await store.verify()).toMatchObject({ matched: true, checked: 4, strangers: 0 })
  for (let phase = 4; phase <= 5; phase++) await store.advance()
  expect(await (await files.download('read.txt')).text()).toBe('read.txt')
  await files.delete('deleted.txt')
  expect(await store.verify({ level: 'content' })).toMatchObject({ matched: true })
  expect(await store.advance()).toBe('retired')
  expect(await (await files.download('replaced.txt')).text()).toBe('replaced.txt')
  const after = withRecords(to, engine, options)
  expect(await (await after.download('never asked for.txt')).text()).toBe('never asked for.txt')
  expect(await after.exists('deleted.txt')).toBe(false)
  expect((await after.audit()).findings).toEqual([])
  await files.close()
})
