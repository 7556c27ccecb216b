import { expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { resumableMemory } from '../../support/resumable-memory.ts'
import { textsOf } from './texts-of.ts'

const PART = 4096
const PARTS = 13
const BYTES = Buffer.alloc(50_000, 'large ')

/** An object of 13 parts at the source, and processes that may be killed after some. */
async function world() {
  const from = memory()
  const to = resumableMemory({ partBytes: PART })
  const engine = sqlite({ path: ':memory:' })
  await withRecords(from, engine, { env: {} }).upload('large.bin', BYTES)
  let sent = 0
  // A clock that runs away, so that each part is written down.
  let now = Date.now()
  /** @param most parts after which the process is dead */
  const process = (most = Number.POSITIVE_INFINITY, onPart: () => Promise<unknown> = async () => {}) => {
    const dying: StorageProvider = forward(to, {
      uploadResumable: (key, source, options) =>
        to.uploadResumable(key, source, {
          ...options,
          concurrency: 1,
          async onPart(part) {
            if (most <= 0) throw new Error('killed')
            sent++
            most--
            await options?.onPart?.(part)
            await onPart()
          },
        }),
    })
    const clock = () => (now += 2_000)
    const store = cutOver({ from, to: dying, engine, largeObjectBytes: 10_000, now: clock })
    return { store, files: withRecords(store, engine, { env: {}, replaceGraceMs: 0 }) }
  }
  const { store, files } = process()
  for (let phase = 1; phase <= 2; phase++) await store.advance()
  return { from, to, engine, store, files, process, sent: () => sent }
}

it('sends after a kill the parts of a large object that had not arrived', async () => {
  const { to, engine, store, files, process, sent } = await world()
  expect(await process(5).store.backfill()).toMatchObject({ copied: 0, failed: 1 })
  expect(sent()).toBe(5)
  expect(await store.backfill()).toMatchObject({ failed: 0 })
  expect(sent()).toBeLessThanOrEqual(PARTS + 1)
  const key = await files.physicalKey('large.bin')
  expect(Buffer.from(await (await to.download(key)).bytes()).equals(BYTES)).toBe(true)
  expect(await engine.query(['SELECT key FROM stowage_cut_over_uploads'])).toEqual([])
  expect(await store.verify({ level: 'content' })).toMatchObject({ matched: true, checked: 1 })
  await files.close()
})

it('does not bring back a large object that is deleted while its parts are sent', async () => {
  const { from, to, engine, store, files, process, sent } = await world()
  let isDeleted = false
  const { store: copying } = process(undefined, async () => {
    if (sent() !== 3 || isDeleted) return
    isDeleted = true
    await files.delete('large.bin')
  })
  expect(await copying.backfill()).toMatchObject({ failed: 0 })
  expect(sent()).toBeLessThan(PARTS)
  expect([await textsOf(from), await textsOf(to)]).toEqual([[], []])
  expect(await files.exists('large.bin')).toBe(false)
  await store.settle()
  expect(await engine.query(['SELECT key FROM stowage_cut_over_uploads'])).toEqual([])
  await files.close()
})

it('sends an object once, however many want it at the other side', async () => {
  const { engine, store, files, sent } = await world()
  await Promise.all([store.backfill(), store.backfill(), store.backfill()])
  const key = await files.physicalKey('large.bin')
  expect(await engine.query(['SELECT to_state FROM stowage_cut_over_objects WHERE key = ?', key])).toEqual([
    { to_state: 'held' },
  ])
  expect(sent()).toBe(PARTS)
  await files.close()
})
