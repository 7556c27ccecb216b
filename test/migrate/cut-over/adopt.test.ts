import { expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
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
