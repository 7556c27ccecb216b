import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { putInPhase } from '../../support/cut-over-in-phase.ts'
import { textsOf } from './texts-of.ts'

const text = { contentType: 'text/plain' }
const HOUR = 3_600_000

/** A store that does something before the bytes of an upload land. */
function beforeUploads(inner: StorageProvider, then: (key: string) => Promise<unknown>): StorageProvider {
  return forward(inner, {
    async upload(key, body, options) {
      await then(key)
      return inner.upload(key, body, options)
    },
  })
}

describe('an object that is deleted while it is copied', () => {
  it('does not come back by a backfill', async () => {
    const [from, to] = [memory(), memory()]
    const engine = sqlite({ path: ':memory:' })
    const before = withRecords(from, engine, { env: {} })
    await before.upload('a.txt', 'a', text)
    await before.upload('b.txt', 'b', text)
    let races = 0
    const store = cutOver({
      from,
      to: beforeUploads(to, async key => {
        if (!key.includes('/a.')) return
        races++
        expect(await files.delete('a.txt')).toMatchObject({ status: 'deleted' })
      }),
      engine,
    })
    const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
    await store.status()
    await putInPhase(engine, 'default', 'backfill')
    await store.backfill()
    expect(races).toBe(1)
    expect(await textsOf(to)).toEqual(['b'])
    expect(await textsOf(from)).toEqual(['b'])
    expect((await store.status()).objects).toMatchObject({ held: { from: 1, to: 1 }, deleted: 1 })
  })

  it('is swept once more, where the copy lands when nobody waits for it any longer', async () => {
    let time = Date.UTC(2026, 0, 1)
    const [from, to] = [memory(), memory()]
    const engine = sqlite({ path: ':memory:' })
    const store = cutOver({ from, to, engine, now: () => time })
    await store.status()
    await putInPhase(engine, 'default', 'dual-write')
    await store.upload('a.txt', 'a', text)
    await store.delete('a.txt')
    await to.upload('a.txt', 'late', text)
    await store.settle()
    expect(await to.exists('a.txt')).toBe(true)
    // Nobody sees it meanwhile.
    await expect(store.info('a.txt')).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.download('a.txt')).rejects.toMatchObject({ code: 'not-found' })
    expect(await store.exists('a.txt')).toBe(false)
    time += HOUR
    expect(await store.settle()).toMatchObject({ swept: 1 })
    expect(await to.exists('a.txt')).toBe(false)
    time += HOUR
    expect(await store.settle()).toMatchObject({ swept: 0 })
  })

  it('is never written under its key again', async () => {
    const [from, to] = [memory(), memory()]
    const engine = sqlite({ path: ':memory:' })
    const store = cutOver({ from, to, engine })
    await store.upload('a.txt', 'a', text)
    await store.delete('a.txt')
    await expect(store.upload('a.txt', 'b', text)).rejects.toMatchObject({ code: 'conflict' })
    await store.advance()
    await expect(store.upload('a.txt', 'b', text)).rejects.toMatchObject({ code: 'conflict' })
    await expect(store.copy('a.txt', 'a.txt')).rejects.toMatchObject({ code: 'conflict' })
    expect([await textsOf(from), await textsOf(to)]).toEqual([[], []])
  })
})
