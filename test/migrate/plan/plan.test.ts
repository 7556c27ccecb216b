import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { StorageError } from '../../../src/core/errors.ts'
import { listingOf } from '../../../src/core/listing.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import type { KeyConversion } from '../../../src/migrate/migrate-options.ts'
import { hasCode } from '../../support/has-code.ts'
import { planSetting } from './plan-setting.ts'

async function filled(keys: readonly string[]): Promise<StorageProvider> {
  const store = memory()
  for (const key of keys) await store.upload(key, `body of ${key}`)
  return store
}

describe('a plan', () => {
  it('holds what is new, and once it is copied costs the two lists and changes nothing', async () => {
    const keys = Array.from({ length: 250 }, (_, i) => `k${String(i).padStart(3, '0')}`)
    const setting = await planSetting({ from: await filled(keys) })
    const plan = await setting.plan()
    expect(plan).toMatchObject({
      objects: 250,
      toCopy: { objects: 250 },
      copied: { objects: 0 },
      since: { added: 250, changed: 0, lost: 0, gone: 0 },
      requests: { lists: 3, gets: 250, puts: 250 },
    })
    expect(plan.toCopy.bytes).toBe(plan.bytes)
    await setting.copy()
    const before = await setting.rows()
    const again = await setting.plan()
    expect(again).toMatchObject({ toCopy: { objects: 0, bytes: 0 }, copied: { objects: 250 } })
    expect(again.since).toEqual({ added: 0, changed: 0, lost: 0, gone: 0 })
    expect(await setting.rows()).toEqual(before)
    expect(setting.calls.sort()).toEqual([
      ...Array(3).fill('destination list'),
      ...Array(3).fill('source list'),
    ])
    expect(setting.events.at(-1)).toEqual({ kind: 'planned', plan: again })
  })

  it('notices what has changed, come and gone at the source', async () => {
    const setting = await planSetting({ from: await filled(['a', 'b', 'c']) })
    await setting.plan()
    await setting.copy()
    await setting.from.upload('a', 'another body')
    await setting.from.delete('b')
    await setting.from.upload('d', 'new')
    const { since } = await setting.plan()
    expect(since).toEqual({ added: 1, changed: 1, lost: 0, gone: 1 })
    expect(setting.events).toContainEqual({ kind: 'changed', key: 'a' })
    expect(await setting.states()).toEqual({ a: 'planned', b: 'gone', c: 'copied', d: 'planned' })
    expect(await setting.manifest.row('a')).toMatchObject({ occupant: 'ours', size: 12, attempts: 0 })
    await setting.copy()
    await setting.from.upload('b', 'body of b')
    await setting.plan()
    expect((await setting.manifest.row('b'))!.state).not.toBe('gone')
  })

  it('takes what has come back as it was for copied, where the copy is still there', async () => {
    let hidden = false
    const store = await filled(['a', 'b'])
    const from = filteredList(store, key => !hidden || key !== 'b')
    const setting = await planSetting({ from })
    await setting.plan()
    await setting.copy()
    hidden = true
    await setting.plan()
    expect(await setting.states()).toEqual({ a: 'copied', b: 'gone' })
    hidden = false
    await setting.plan()
    expect(await setting.states()).toEqual({ a: 'copied', b: 'copied' })
    hidden = true
    await setting.plan()
    hidden = false
    await setting.to.delete('b')
    await setting.plan()
    expect(await setting.states()).toEqual({ a: 'copied', b: 'planned' })
    expect(await setting.manifest.row('b')).not.toHaveProperty('occupant')
  })

  it('plans again what was lost or replaced at the destination', async () => {
    const setting = await planSetting({ from: await filled(['a', 'b', 'c']) })
    await setting.plan()
    await setting.copy()
    await setting.to.delete('a')
    const other = await setting.to.upload('b', 'of somebody else')
    const { since } = await setting.plan()
    expect(since.lost).toBe(2)
    expect(await setting.manifest.row('a')).not.toHaveProperty('occupant')
    expect(await setting.manifest.row('b')).toMatchObject({
      state: 'planned',
      occupant: 'foreign',
      destinationEtag: other.etag,
    })
    expect((await setting.states()).c).toBe('copied')
  })

  it.each([
    ['compare', { state: 'planned', occupant: 'foreign', destinationSize: 5 }],
    ['overwrite', { state: 'planned', occupant: 'foreign', destinationSize: 5 }],
    ['refuse', { state: 'refused', errorCode: 'exists', occupant: 'foreign', destinationSize: 5 }],
  ] as const)('meets an object in its place under %s', async (existing, row) => {
    const setting = await planSetting({ from: await filled(['a', 'b']), to: memory(), existing })
    await setting.to.upload('a', 'there')
    const plan = await setting.plan()
    expect(await setting.manifest.row('a')).toMatchObject(row)
    expect((await setting.states()).b).toBe('planned')
    expect(plan.refusals.byReason.exists).toBe(existing === 'refuse' ? 1 : 0)
    const before = await setting.rows()
    await setting.plan()
    expect(await setting.rows()).toEqual(before)
    await setting.to.delete('a')
    await setting.plan()
    const now = await setting.manifest.row('a')
    expect(now).toMatchObject({ state: 'planned' })
    expect(now).not.toHaveProperty('occupant')
    expect(now).not.toHaveProperty('errorCode')
  })

  it('tries again what a comparison has refused once the other object has changed, or may be overwritten', async () => {
    const setting = await planSetting({ from: await filled(['a']) })
    const { etag, size } = await setting.to.upload('a', 'there')
    await setting.plan()
    await setting.manifest.write([
      {
        sourceKey: 'a',
        state: 'refused',
        errorCode: 'exists',
        destinationEtag: etag,
        destinationSize: size,
      },
    ])
    expect((await setting.plan()).refusals.total).toBe(1)
    await setting.to.upload('a', 'anew!')
    await setting.plan()
    expect((await setting.states()).a).toBe('planned')
    await setting.manifest.write([{ sourceKey: 'a', state: 'refused', errorCode: 'exists' }])
    await setting.plan({ existing: 'overwrite' })
    expect((await setting.states()).a).toBe('planned')
  })

  it('compares what a killed copy may have left, even where others are refused', async () => {
    const setting = await planSetting({ from: await filled(['a', 'b']), existing: 'refuse' })
    await setting.plan()
    await setting.manifest.write([{ sourceKey: 'a', progress: '{}' }])
    await setting.to.upload('a', 'body of a')
    await setting.to.upload('b', 'of somebody')
    await setting.plan()
    expect(await setting.states()).toEqual({ a: 'planned', b: 'refused' })
    expect(await setting.manifest.row('a')).toMatchObject({ occupant: 'foreign', progress: '{}' })
  })

  it('does not touch what a copier has changed since it was read', async () => {
    const from = await filled(['a', 'b'])
    let change: (() => Promise<void>) | undefined
    const setting = await planSetting({
      from: filteredList(
        from,
        () => true,
        async () => change?.(),
      ),
    })
    await setting.plan()
    await from.delete('a')
    change = () => setting.manifest.write([{ sourceKey: 'a', state: 'copied' }])
    await setting.plan()
    change = undefined
    // The rows were read before the list's page, and what was decided on them is void.
    expect((await setting.states()).a).toMatch(/copied|gone/)
    await setting.plan()
    expect((await setting.states()).a).toBe('gone')
  })

  it('leaves failures alone, and tells them as what is to copy', async () => {
    const setting = await planSetting({ from: await filled(['a', 'b']) })
    await setting.plan()
    await setting.manifest.write([{ sourceKey: 'a', state: 'failed', attempts: 5, errorCode: 'timeout' }])
    const plan = await setting.plan()
    expect(plan.toCopy.objects).toBe(2)
    expect(await setting.manifest.row('a')).toMatchObject({ state: 'failed', attempts: 5 })
  })

  it('marks nothing as gone where a page of the list fails', async () => {
    const store = await filled(Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`))
    let failing = false
    const from = forward(store, {
      list: options => {
        const list = store.list({ ...options, pageSize: 100 })
        return listingOf({
          page: list.page,
          async *pages() {
            let pages = 0
            for await (const page of list.pages()) {
              if (failing && pages++ === 1) throw new StorageError('unavailable', 'list: down')
              yield page
            }
          },
        })
      },
    })
    const setting = await planSetting({ from })
    await setting.plan()
    await setting.copy()
    failing = true
    await expect(setting.plan()).rejects.toSatisfy(hasCode('unavailable'))
    expect(new Set(Object.values(await setting.states()))).toEqual(new Set(['copied']))
    failing = false
    expect((await setting.plan()).copied.objects).toBe(300)
  })

  it('leaves out what the filters and the conversion leave out', async () => {
    const keys: KeyConversion = key => (key.endsWith('.tmp') ? undefined : `new/${key}`)
    const setting = await planSetting({
      from: await filled(['a/1.jpg', 'a/2.tmp', 'a/3.png', 'b/4.jpg']),
      keys,
      prefix: 'a/',
      exclude: ['**/*.png'],
    })
    const plan = await setting.plan()
    expect(plan).toMatchObject({ objects: 1, leftOut: { objects: 2 } })
    expect((await setting.rows()).map(row => row.destinationKey)).toEqual(['new/a/1.jpg'])
  })

  it('goes on as it began, and may begin anew until the first object has arrived', async () => {
    const setting = await planSetting({ from: await filled(['a', 'b']), rules: '1' })
    await setting.plan()
    await setting.plan({ rules: '2', exclude: ['b'] })
    expect(await setting.states()).toEqual({ a: 'planned', b: 'gone' })
    await setting.plan({ rules: '2' })
    await setting.copy()
    const refused = { code: 'conflict', message: expect.stringContaining('other rules; other filters') }
    await expect(setting.plan({ rules: '3', include: ['a'] })).rejects.toMatchObject(refused)
    await expect(setting.plan({ rules: '2', prefix: 'a' })).rejects.toMatchObject({
      message: expect.stringContaining('prefix'),
    })
    await expect(setting.plan({ rules: '2' })).resolves.toBeDefined()
  })
})

/** A store whose list leaves objects out; `before` is called ahead of the first page. */
function filteredList(
  store: StorageProvider,
  isListed: (key: string) => boolean,
  before: () => Promise<void> = async () => {},
): StorageProvider {
  return forward(store, {
    list: options => {
      const list = store.list(options)
      return listingOf({
        page: list.page,
        async *pages() {
          await before()
          for await (const page of list.pages())
            yield page.filter(entry => entry.kind === 'object' && isListed(entry.key))
        },
      })
    },
  })
}
