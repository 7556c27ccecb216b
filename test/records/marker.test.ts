import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { listingOf } from '../../src/core/listing.ts'
import { forward } from '../../src/decorators/forward.ts'
import { type RecordedFiles, type RecordsEvent, withRecords } from '../../src/records/index.ts'
import { checkMarker, raiseEpoch, readMarker } from '../../src/records/marker.ts'
import { RecordSet } from '../../src/records/record-set.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { hasCode } from '../support/has-code.ts'

const MARKER = 'default/.stowage/record-set.json'

function aWorld(store = memory(), engine = sqlite({ path: ':memory:' })) {
  const events: RecordsEvent[] = []
  const options = { onEvent: (event: RecordsEvent) => void events.push(event) }
  const files: RecordedFiles = withRecords(store, engine, options)
  return { store, engine, events, files, set: new RecordSet(store, engine, options) }
}

describe('the marker of a record set', () => {
  it('is written by the first audit and says whose root it is', async () => {
    const { files, store, set } = aWorld()
    await files.upload('a.txt', 'a')
    expect(await store.exists(MARKER)).toBe(false)
    await files.audit()
    const { recordSet } = await set.ready()
    expect(JSON.parse(await (await store.download(MARKER)).text())).toEqual({
      recordSet,
      tenant: 'default',
      epoch: 1,
    })
    expect((await files.info('a.txt')).size).toBe(1)
  })

  it('keeps two databases from sharing a root: audit, collect and worker refuse', async () => {
    const first = aWorld()
    await first.files.audit()
    const second = aWorld(first.store)
    await expect(second.files.audit()).rejects.toThrow(/belongs to another database/)
    await expect(second.files.collect({ apply: true })).rejects.toSatisfy(hasCode('conflict'))
    const worker = second.files.startWorker()
    await expect.poll(() => second.events.map(event => event.kind)).toEqual(['worker-failed'])
    await worker.stop()
    await expect(raiseEpoch(second.set)).rejects.toThrow(/nothing was changed/)
  })

  it('goes to one of two databases that look at an empty root at once', async () => {
    const store = memory()
    const worlds = [aWorld(store), aWorld(store)]
    const results = await Promise.allSettled(worlds.map(({ set }) => checkMarker(set)))
    expect(results.map(result => result.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('keeps a root out of the root of another database, and one that is there already from being collected', async () => {
    const whole = aWorld()
    const all = withRecords(whole.store, whole.engine, { tenant: 'all', root: '' })
    await all.audit()
    const inner = aWorld(whole.store)
    await expect(inner.files.audit()).rejects.toThrow(/lies within the root of another database/)

    const store = memory()
    const tenant = aWorld(store)
    await tenant.files.upload('a.txt', 'a')
    await tenant.files.audit()
    const outer = withRecords(store, sqlite({ path: ':memory:' }), { tenant: 'all', root: '' })
    expect((await outer.audit()).counts).toMatchObject({ 'foreign-record-set': 1 })
    expect(await outer.collect({ apply: true, exclusive: true, graceMs: 0, maxShare: 1 })).toMatchObject({
      applied: false,
      removed: 0,
      stopped: { reason: 'foreign-record-set' },
    })
  })

  it('is refused where it is none', async () => {
    const { files, store } = aWorld()
    for (const text of ['', '{}', 'x'.repeat(20_000), '{"recordSet":1,"tenant":"a","epoch":1}']) {
      await store.upload(MARKER, text)
      await expect(files.audit()).rejects.toThrow(/is no marker of a record set/)
    }
  })
})

describe('a new epoch', () => {
  it('is one more than database and bucket have seen, and is written to both', async () => {
    const { files, set } = aWorld()
    await files.audit()
    expect(await raiseEpoch(set)).toBe(2)
    expect(await raiseEpoch(set)).toBe(3)
    expect(await readMarker(set)).toMatchObject({ epoch: 3 })
    await set.batch([["UPDATE t_default__settings SET value = '1' WHERE name = 'epoch'"]], { id: 'older' })
    expect(await raiseEpoch(set)).toBe(4)
    expect(await files.audit()).toMatchObject({ epoch: 4 })
  })

  it('is needed where the database is older than what the bucket has seen', async () => {
    const { files, set } = aWorld()
    await files.audit()
    await raiseEpoch(set)
    await set.batch([["UPDATE t_default__settings SET value = '1' WHERE name = 'epoch'"]], { id: 'restored' })
    await expect(files.audit()).rejects.toThrow(/has seen epoch 2/)
  })

  it('is brought to the bucket by whoever comes next, where raising it was interrupted', async () => {
    const { files, set } = aWorld()
    await files.audit()
    await set.batch([["UPDATE t_default__settings SET value = '2' WHERE name = 'epoch'"]], { id: 'half' })
    await files.audit()
    expect(await readMarker(set)).toMatchObject({ epoch: 2 })
  })

  it('stops collecting until an audit was confirmed in it', async () => {
    const { files, set } = aWorld()
    await files.audit({ confirm: true })
    await files.collect()
    await raiseEpoch(set)
    await expect(files.collect()).rejects.toThrow(/confirm/)
    await files.audit()
    await expect(files.collect({ apply: true })).rejects.toSatisfy(hasCode('conflict'))
    expect((await files.audit({ confirm: true })).confirmed).toBe(true)
    expect(await files.collect({ apply: true })).toMatchObject({ epoch: 2, applied: true })
    await raiseEpoch(set)
    await expect(files.collect()).rejects.toSatisfy(hasCode('conflict'))
  })

  it('is not confirmed by an audit that began in the one before', async () => {
    const { files, set, store, engine } = aWorld()
    await files.audit()
    await files.upload('a.txt', 'a')
    const restored = forward(store, {
      list: options =>
        listingOf({
          page: given => store.list(options).page(given),
          async *pages() {
            yield* store.list(options).pages()
            await raiseEpoch(set)
          },
        }),
    })
    expect((await withRecords(restored, engine).audit({ confirm: true })).confirmed).toBe(false)
    await expect(files.collect()).rejects.toSatisfy(hasCode('conflict'))
  })

  it('is not confirmed by an audit that failed', async () => {
    const { files, set, store } = aWorld()
    await files.audit()
    await raiseEpoch(set)
    await files.upload('a.txt', 'a')
    const aborted = AbortSignal.abort()
    await expect(files.audit({ confirm: true, signal: aborted })).rejects.toSatisfy(hasCode('aborted'))
    await expect(files.collect()).rejects.toSatisfy(hasCode('conflict'))
    expect(await store.exists(MARKER)).toBe(true)
  })
})
