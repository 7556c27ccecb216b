import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { faults, type MirrorRepair, repairMirror } from '../../src/decorators/index.ts'
import { refused } from '../support/refused.ts'

async function twoStores() {
  let time = 1_000_000
  const now = () => time
  const [primary, replica] = [memory({ now }), memory({ now })]
  for (const key of ['same', 'stale', 'gone', 'swapped']) {
    await primary.upload(key, key)
    await replica.upload(key, key)
  }
  time += 1000
  await primary.upload('new', 'new')
  await primary.upload('stale', 'STALE')
  await primary.delete('gone')
  // Of one size, and younger than the primary's: no date tells.
  await replica.upload('swapped', 'SWAPPED')
  return { primary, replica }
}

describe('repairMirror', () => {
  it('copies what is missing or older, and deletes what the primary does not have', async () => {
    const { primary, replica } = await twoStores()
    const repairs: MirrorRepair[] = []
    const report = await repairMirror(primary, replica, { onRepair: repair => repairs.push(repair) })
    expect(report).toEqual({ objects: 4, missing: 1, differs: 1, extra: 1, failed: 0 })
    expect(repairs.sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { key: 'gone', reason: 'extra' },
      { key: 'new', reason: 'missing' },
      { key: 'stale', reason: 'differs' },
    ])
    expect(await replica.exists('gone')).toBe(false)
    expect(await (await replica.download('stale')).text()).toBe('STALE')
    expect(await repairMirror(primary, replica)).toMatchObject({ missing: 0, differs: 0, extra: 0 })
  })

  it('reads both sides where content is compared', async () => {
    const { primary, replica } = await twoStores()
    expect(await repairMirror(primary, replica, { compare: 'content' })).toMatchObject({ differs: 2 })
    expect(await (await replica.download('swapped')).text()).toBe('swapped')
  })

  it('does nothing in a dry run, and looks below a prefix only', async () => {
    const { primary, replica } = await twoStores()
    expect(await repairMirror(primary, replica, { dryRun: true })).toMatchObject({ missing: 1, extra: 1 })
    expect(await replica.exists('gone')).toBe(true)
    expect(await repairMirror(primary, replica, { prefix: 'g' })).toMatchObject({ objects: 0, extra: 1 })
    expect(await replica.exists('new')).toBe(false)
  })

  it('tells of a key that fails and goes on', async () => {
    const { primary, replica } = await twoStores()
    const full = faults(replica, { seed: 1, rules: [{ kind: 'before', operations: ['upload'], key: 'new' }] })
    const repairs: MirrorRepair[] = []
    const report = await repairMirror(primary, full, { onRepair: repair => repairs.push(repair) })
    expect(report).toMatchObject({ missing: 1, differs: 1, extra: 1, failed: 1 })
    expect(repairs.find(({ key }) => key === 'new')).toMatchObject({ error: { code: 'unavailable' } })
  })

  it('fails where a list does, and deletes nothing for it', async () => {
    const { primary, replica } = await twoStores()
    const broken = faults(primary, { seed: 1, rules: [{ kind: 'before', operations: ['list'] }] })
    await expect(repairMirror(broken, replica)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await replica.exists('gone')).toBe(true)
  })

  it('refuses options that it does not know', async () => {
    await expect(repairMirror(memory(), memory(), { compare: 'etag' as never })).rejects.toThrow(
      refused(/compare must be/),
    )
    await expect(repairMirror(memory(), memory(), { dry: true } as never)).rejects.toThrow(
      refused(/unknown option 'dry'/),
    )
  })
})
