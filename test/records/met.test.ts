import { PGlite } from '@electric-sql/pglite'
import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { withRecords } from '../../src/records/index.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, type RecordedOptions, recorded } from '../support/recorded.ts'

/** A bucket of one application, with an object that was there before its records. */
async function met(options: RecordedOptions = {}) {
  const world = recorded({ root: '', adoptMet: true, replaceGraceMs: 0, ...options })
  await world.store.upload('a.txt', 'before', { metadata: { album: 'summer' } })
  return world
}

describe('an object that has no record yet', () => {
  it('becomes a file when it is read, and no byte moves', async () => {
    const { files, stored } = await met()
    expect(await (await files.download('a.txt')).text()).toBe('before')
    expect(await files.physicalKey('a.txt')).toBe('a.txt')
    expect((await files.find({ metadata: { album: 'summer' } }).page()).items).toHaveLength(1)
    expect(await stored()).toEqual(['a.txt'])
  })

  it.each<[string, (files: Awaited<ReturnType<typeof met>>['files']) => Promise<unknown>]>([
    ['asked for', files => files.info('a.txt')],
    ['asked for among others', files => files.infoMany(['b.txt', 'a.txt'])],
    ['signed', files => files.signedUrl('a.txt', { expiresIn: 60 })],
    ['signed among others', files => files.signedUrls(['b.txt', 'a.txt'], { expiresIn: 60 })],
    ['asked for by its physical key', files => files.physicalKey('a.txt')],
    ['copied', files => files.copy('a.txt', 'c.txt')],
  ])('becomes a file when it is %s', async (_, ask) => {
    const { files, rows } = await met()
    await ask(files)
    expect(await rows("SELECT physical, adopted FROM t_default__files WHERE key = 'a.txt'")).toEqual([
      { physical: 'a.txt', adopted: 1n },
    ])
  })

  it('is deleted with its bytes, and what is put there later is no file', async () => {
    const { files, store, stored } = await met()
    expect(await files.delete('a.txt')).toMatchObject({ status: 'deleted' })
    expect(await stored()).toEqual([])
    await store.upload('a.txt', 'late')
    expect(await files.exists('a.txt')).toBe(false)
    await files.upload('a.txt', 'new')
    await files.delete('a.txt')
    expect(await files.exists('a.txt')).toBe(false)
    expect(await stored()).toEqual(['a.txt'])
  })

  it('is overwritten with its bytes', async () => {
    const { files, stored } = await met()
    const { etag } = await files.upload('a.txt', 'new')
    expect(await stored()).toEqual([`a.${etag}.txt`])
  })

  it('is not written over where something must not be', async () => {
    const { files } = await met()
    await expect(files.upload('a.txt', 'new', { ifNoneMatch: '*' })).rejects.toSatisfy(
      hasCode('already-exists'),
    )
    await expect(files.copy('a.txt', 'a.txt', { ifNoneMatch: '*' })).rejects.toSatisfy(
      hasCode('already-exists'),
    )
    const prepared = await files.prepareUpload('a.txt', 'new')
    await expect(files.publish(prepared, { ifNoneMatch: '*' })).rejects.toSatisfy(hasCode('already-exists'))
    expect(await (await files.download('a.txt')).text()).toBe('before')
  })

  it('is moved away for ever', async () => {
    const { files, store } = await met()
    await files.move('a.txt', 'b.txt')
    await store.upload('a.txt', 'late')
    expect(await files.exists('a.txt')).toBe(false)
    expect(await (await files.download('b.txt')).text()).toBe('before')
  })

  it('is one file, however many meet it at once', async () => {
    const { files, another, rows } = await met()
    const others = Array.from({ length: 4 }, () => another())
    const etags = await Promise.all([files, ...others].map(async one => (await one.info('a.txt')).etag))
    expect(new Set(etags).size).toBe(1)
    expect(await rows('SELECT key FROM t_default__files')).toHaveLength(1)
  })

  it('is nothing to those who meet nothing', async () => {
    const { files, store } = recorded({ root: '' })
    await store.upload('a.txt', 'before')
    expect(await files.exists('a.txt')).toBe(false)
  })
})

it('does not bring an older object back when the file over it, written by another process, is deleted or moved', async () => {
  const { store, another } = recorded({ root: '' })
  for (const key of ['a.txt', 'b.txt']) await store.upload(key, 'older')
  const early = another()
  for (const key of ['a.txt', 'b.txt']) await early.upload(key, 'newer')
  const files = another({ adoptMet: true })
  await files.delete('a.txt')
  await files.move('b.txt', 'c.txt')
  const found = await files.infoMany(['a.txt', 'b.txt', 'c.txt'])
  expect(found.map(({ ok }) => ok)).toEqual([false, false, true])
})

it('is remembered by the record set until it is told otherwise', async () => {
  const { another, store } = recorded({ root: '' })
  await another({ adoptMet: true }).exists('nothing.txt')
  await store.upload('a.txt', 'x')
  await store.upload('b.txt', 'x')
  expect(await another().exists('a.txt')).toBe(true)
  await another({ adoptMet: false }).exists('nothing.txt')
  expect(await another().exists('b.txt')).toBe(false)
})

it('is remembered with the store in which objects are met, as whoever gave the option has it', async () => {
  const { another, engine, store, rows } = recorded({ root: '' })
  const remembered = () => rows("SELECT value FROM t_default__settings WHERE name = 'adopt_met'")
  await another({ adoptMet: true }).exists('nothing.txt')
  expect(await remembered()).toEqual([{ value: store.location }])
  await withRecords(memory(), engine, { env: {} }).exists('nothing.txt')
  expect(await remembered()).toEqual([{ value: store.location }])
  const other = memory()
  await withRecords(other, engine, { adoptMet: true, env: {} }).exists('nothing.txt')
  expect(await remembered()).toEqual([{ value: other.location }])
})

it('is remembered also where it was written before it said in which store', async () => {
  const { another, engine, store, rows } = recorded({ root: '' })
  await another({ adoptMet: true }).exists('nothing.txt')
  await engine.batch([["UPDATE t_default__settings SET value = '1' WHERE name = 'adopt_met'"]])
  await store.upload('a.txt', 'x')
  expect(await another().exists('a.txt')).toBe(true)
  await another({ adoptMet: true }).exists('nothing.txt')
  expect(await rows("SELECT value FROM t_default__settings WHERE name = 'adopt_met'")).toEqual([
    { value: store.location },
  ])
})

it('does not make a file of what is below another root, of our own form, reserved, or about to be deleted', async () => {
  const world = recorded({
    tenant: 'acme',
    adoptMet: true,
    through: changed(inner => ({
      async deleteMany(keys, options) {
        expect(await world.another().exists('doomed.txt')).toBe(false)
        return inner.deleteMany(keys, options)
      },
    })),
  })
  const { files, store } = world
  await store.upload('outside.txt', 'x')
  await store.upload('acme/planted.01kdvdna00ybjy0g37rzvxneha.txt', 'x')
  await store.upload('acme/.stowage/staging/x', 'x')
  await store.upload('acme/doomed.txt', 'x')
  await files.delete('doomed.txt')
  for (const key of ['outside.txt', 'planted.01kdvdna00ybjy0g37rzvxneha.txt', '.stowage/staging/x'])
    expect(await files.exists(key)).toBe(false)
})

it('fails where the store can not say whether there is one', async () => {
  const { files } = await met({
    through: changed(() => ({
      async info() {
        throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
      },
    })),
  })
  await expect(files.download('a.txt')).rejects.toThrow()
  await expect(files.upload('a.txt', 'x')).rejects.toThrow()
})

it('holds on PostgreSQL, too', async () => {
  const engine = postgres({ client: await PGlite.create() })
  const store = memory()
  for (const key of ['a.txt', 'b.txt', 'c.txt']) await store.upload(key, 'older')
  const early = withRecords(store, engine, { root: '', env: {} })
  await early.upload('b.txt', 'newer')
  const files = withRecords(store, engine, { root: '', adoptMet: true, env: {}, replaceGraceMs: 0 })
  expect(await (await files.download('a.txt')).text()).toBe('older')
  expect(await files.deleteMany(['b.txt', 'c.txt'])).toMatchObject([
    { status: 'deleted' },
    { status: 'deleted' },
  ])
  const found = await files.infoMany(['a.txt', 'b.txt', 'c.txt'])
  expect(found.map(({ ok }) => ok)).toEqual([true, false, false])
  await files.close()
})
