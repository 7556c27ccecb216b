import { expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { textsOf } from './texts-of.ts'

const signing = { baseUrl: 'http://files.test', secret: 'a secret of the tests' }

it('takes files from one store to the other, phase by phase, and drops the source at the end', async () => {
  const [from, to] = [memory({ signing }), memory({ signing })]
  const engine = sqlite({ path: ':memory:' })
  const before = withRecords(from, engine, { env: {}, replaceGraceMs: 0 })
  await before.upload('old.txt', 'old')
  await before.upload('deleted later.txt', 'x')

  const store = cutOver({ from, to, engine })
  const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
  expect(await (await files.download('old.txt')).text()).toBe('old')
  await files.upload('source-only.txt', '0')
  expect(await store.advance()).toBe('dual-write')
  await files.upload('dual-write.txt', '1')
  expect((await textsOf(to)).sort()).toEqual(['1'])
  await expect(store.backfill()).rejects.toMatchObject({ code: 'conflict' })
  expect(await store.advance()).toBe('backfill')
  await expect(store.advance()).rejects.toMatchObject({ code: 'conflict' })
  expect(await store.backfill()).toMatchObject({ copied: 3, known: 1, failed: 0 })
  expect(await store.advance()).toBe('verify')
  await files.delete('deleted later.txt')
  await expect(store.advance()).rejects.toMatchObject({ code: 'conflict' })
  expect(await store.verify()).toMatchObject({ matched: true, checked: 3 })
  expect(await store.advance()).toBe('compare-reads')
  await files.upload('compare-reads.txt', '4')
  expect(await store.advance()).toBe('destination-first')
  await files.upload('destination-first.txt', '5')
  expect(await files.download('source-only.txt').then(d => d.text())).toBe('0')
  await expect(store.advance()).rejects.toMatchObject({ code: 'conflict' })
  expect(await store.verify({ level: 'content' })).toMatchObject({ matched: true, checked: 5 })
  expect(await textsOf(from)).toEqual(await textsOf(to))
  expect(await store.advance()).toBe('retired')
  await files.upload('retired.txt', '6')
  expect(await textsOf(to)).toEqual(['0', '1', '4', '5', '6', 'old'])
  expect(await textsOf(from)).toEqual(['0', '1', '4', '5', 'old'])
  expect(await store.dropSource()).toMatchObject({ applied: false, deleted: 5, kept: 0, unknown: 0 })
  expect(await store.dropSource({ apply: true })).toMatchObject({ deleted: 5, bytes: 7, failed: 0 })
  expect(await textsOf(from)).toEqual([])
  await expect(store.back()).rejects.toMatchObject({ code: 'conflict' })
  const after = withRecords(to, engine, { env: {} })
  const keys: string[] = []
  for await (const entry of after.list()) if (entry.kind === 'object') keys.push(entry.key)
  expect(keys).toHaveLength(6)
  for (const key of keys) await (await after.download(key)).bytes()
  expect((await after.audit()).findings).toEqual([])
  await files.close()
})

it('goes back from the last phase to the first, and nothing that was written on the way is lost', async () => {
  const [from, to] = [memory({ signing }), memory({ signing })]
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine })
  const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
  await files.upload('0.txt', '0')
  for (let phase = 1; phase <= 6; phase++) {
    if (phase === 3) await store.backfill()
    if (phase === 4) await store.verify()
    if (phase === 6) await store.verify({ level: 'content' })
    await store.advance()
    await files.upload(`${phase}.txt`, String(phase))
  }
  expect(await textsOf(from)).toEqual(['0', '1', '2', '3', '4', '5'])
  await files.delete('2.txt')
  expect(await textsOf(to)).toEqual(['0', '1', '3', '4', '5', '6'])
  for (let phase = 5; phase >= 0; phase--) {
    if (phase === 4 || phase === 0) await store.settle()
    await store.back()
    await files.upload(`back ${phase}.txt`, `back ${phase}`)
  }
  expect((await store.status()).phase).toBe('source-only')
  const plain = withRecords(from, engine, { env: {} })
  for (const key of [
    '0',
    '1',
    '3',
    '4',
    '5',
    '6',
    'back 5',
    'back 4',
    'back 3',
    'back 2',
    'back 1',
    'back 0',
  ])
    expect(await (await plain.download(`${key}.txt`)).text()).toBe(key)
  expect(await textsOf(from)).not.toContain('2')
  await files.close()
})
