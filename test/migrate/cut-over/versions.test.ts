import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { putInPhase } from '../../support/cut-over-in-phase.ts'
import { versionedMemory } from './support/versioned-memory.ts'

const text = { contentType: 'text/plain' }
const HOUR = 3_600_000

describe('a destination that keeps versions', () => {
  it('is owed no delete of what it never had, and gets no delete marker for it', async () => {
    const [from, to] = [memory(), versionedMemory()]
    const engine = sqlite({ path: ':memory:' })
    await from.upload('old.txt', 'old', text)
    const store = cutOver({ from, to, engine })
    await store.status()
    await putInPhase(engine, 'default', 'compare-reads')
    expect(await store.delete('old.txt')).toMatchObject({ status: 'deleted' })
    expect((await store.status()).objects).toMatchObject({ deleted: 1, undeleted: { from: 0, to: 0 } })
    expect(to.countOf('old.txt')).toBe(0)
  })

  it('is rid of a version that lands after the delete, by the late sweep and by verification', async () => {
    let time = Date.UTC(2026, 0, 1)
    const [from, to] = [memory(), versionedMemory()]
    const engine = sqlite({ path: ':memory:' })
    const store = cutOver({ from, to, engine, now: () => time })
    await store.status()
    await putInPhase(engine, 'default', 'dual-write')
    for (const key of ['a.txt', 'b.txt']) {
      await store.upload(key, key, text)
      await store.delete(key)
    }
    await store.settle()
    await to.upload('a.txt', 'late', text)
    time += HOUR
    await store.settle()
    expect(await to.exists('a.txt')).toBe(false)
    expect(to.countOf('a.txt')).toBe(0)
    await to.upload('b.txt', 'late', text)
    await to.upload('b.txt', 'later', text)
    expect(await store.verify()).toMatchObject({ matched: true })
    expect(to.countOf('b.txt')).toBe(0)
  })

  it('deletes for good, when the records stand on it alone', async () => {
    const [from, to] = [versionedMemory(), versionedMemory()]
    const engine = sqlite({ path: ':memory:' })
    const before = withRecords(from, engine, { env: {}, replaceGraceMs: 0 })
    await before.upload('0.txt', '0', text)
    const store = cutOver({ from, to, engine })
    const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
    await files.upload('1.txt', '1', text)
    await putInPhase(engine, 'default', 'backfill')
    await store.backfill()
    await store.verify()
    for (let phase = 3; phase <= 5; phase++) await store.advance()
    await files.upload('5.txt', '5', text)
    await store.verify({ level: 'content' })
    expect(await store.advance()).toBe('retired')
    await files.upload('6.txt', '6', text)
    const after = withRecords(to, engine, { env: {}, replaceGraceMs: 0 })
    for (const key of ['0.txt', '1.txt', '5.txt', '6.txt']) {
      const physical = await after.physicalKey(key)
      expect(await after.delete(key), key).toMatchObject({ key })
      expect([key, to.countOf(physical)]).toEqual([key, 0])
    }
  })
})

it('tells records that lie here the version at the side that is left, and leaves alone those of another store', async () => {
  const [from, to, other] = [versionedMemory(), versionedMemory(), versionedMemory()]
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine })
  const options = { adoptMet: true, env: {}, replaceGraceMs: 0 }
  const files = withRecords(store, engine, { tenant: 'a', ...options })
  // Of two stores in memory, locations do not tell whether they are two.
  const named = Object.defineProperty(forward(other, {}), 'location', { value: 's3://server/other/' })
  const others = withRecords(named, engine, { tenant: 'b', ...options })
  await from.upload('a/x.txt', 'x', text)
  await from.upload('b/x.txt', 'stale', text)
  await other.upload('b/x.txt', 'x', text)
  const versionOf = async (tenant: string) =>
    (await engine.query([`SELECT version_id FROM t_${tenant}__files`]))[0]?.version_id
  await others.info('x.txt')
  const version = (await other.info('b/x.txt')).versionId
  expect(await versionOf('b')).toBe(version)
  await files.info('x.txt')
  await putInPhase(engine, 'default', 'backfill')
  await store.backfill()
  await store.verify()
  for (let phase = 3; phase <= 5; phase++) await store.advance()
  await store.verify({ level: 'content' })
  expect(await store.advance()).toBe('retired')
  expect(await versionOf('b')).toBe(version)
  expect(await versionOf('a')).toBe((await to.info('a/x.txt')).versionId)
  expect(await others.delete('x.txt')).toMatchObject({ status: 'deleted' })
  expect(other.countOf('b/x.txt')).toBe(0)
  await files.close()
})
