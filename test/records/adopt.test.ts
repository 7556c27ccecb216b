import { describe, expect, it } from 'vitest'
import { forwardEngine } from '../support/forward-engine.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

describe('adopting objects that are there', () => {
  it('records them with their keys as they are, and moves no byte', async () => {
    const { files, store, stored } = recorded({ root: '' })
    await store.upload('a/photo.jpg', 'bytes', { metadata: { album: 'summer' }, cacheControl: 'max-age=60' })
    await store.upload('b.txt', 'text')
    expect(await files.adopt()).toEqual({ adopted: 2, known: 0, retired: 0, ours: 0 })
    expect(await files.info('a/photo.jpg')).toMatchObject({
      size: 5,
      contentType: 'image/jpeg',
      cacheControl: 'max-age=60',
      metadata: { album: 'summer' },
    })
    expect(await files.physicalKey('a/photo.jpg')).toBe('a/photo.jpg')
    expect((await files.find({ metadata: { album: 'summer' } }).page()).items).toHaveLength(1)
    expect(await (await files.download('b.txt')).text()).toBe('text')
    expect(await stored()).toEqual(['a/photo.jpg', 'b.txt'])
    expect(await files.adopt()).toEqual({ adopted: 0, known: 2, retired: 0, ours: 0 })
  })

  it('adopts what lies under a prefix of its own root only', async () => {
    const { files, store } = recorded({ tenant: 'acme' })
    await store.upload('acme/in/a', 'x')
    await store.upload('acme/out/b', 'x')
    await store.upload('other/c', 'x')
    expect(await files.adopt({ prefix: 'in/' })).toMatchObject({ adopted: 1 })
    expect((await files.list().page()).items).toMatchObject([{ key: 'in/a' }])
  })

  it('counts in a dry run, and records nothing', async () => {
    const { files, store } = recorded({ root: '' })
    await store.upload('a', 'x')
    expect(await files.adopt({ dryRun: true })).toMatchObject({ adopted: 1 })
    expect(await files.exists('a')).toBe(false)
  })

  it('retires an adopted key for ever once its bytes are deleted', async () => {
    const { files, store } = recorded({ root: '' })
    await store.upload('a.txt', 'old')
    await files.adopt()
    await files.delete('a.txt')
    await store.upload('a.txt', 'somebody else’s')
    expect(await files.adopt()).toEqual({ adopted: 0, known: 0, retired: 1, ours: 0 })
    const { etag } = await files.upload('a.txt', 'new')
    expect(await files.physicalKey('a.txt')).toBe(`a.${etag}.txt`)
  })

  it('retires it also where it is replaced, and the new bytes get a key of our form', async () => {
    const { files, store, stored } = recorded({ root: '', replaceGraceMs: 0 })
    await store.upload('a.txt', 'old')
    await files.adopt()
    const { etag } = await files.upload('a.txt', 'new')
    expect(await stored()).toEqual([`a.${etag}.txt`])
    await store.upload('a.txt', 'again')
    expect(await files.adopt()).toMatchObject({ adopted: 0, retired: 1 })
  })

  it('does not adopt bytes that are about to be deleted', async () => {
    const world = recorded({
      root: '',
      through: changed(inner => ({
        async deleteMany(keys, options) {
          expect(await world.another().adopt()).toMatchObject({ adopted: 0 })
          return inner.deleteMany(keys, options)
        },
      })),
    })
    await world.store.upload('a.txt', 'old')
    await world.files.adopt()
    await world.files.delete('a.txt')
    expect(await world.files.exists('a.txt')).toBe(false)
    await expect(world.files.download('a.txt')).rejects.toSatisfy(hasCode('not-found'))
  })

  it('leaves objects of our own form to the audit', async () => {
    const { files, store } = recorded({ root: '' })
    await files.upload('mine.txt', 'x')
    await store.upload('planted.01kdvdna00ybjy0g37rzvxneha.txt', 'x')
    expect(await files.adopt()).toEqual({ adopted: 0, known: 0, retired: 0, ours: 1 })
  })

  it('asks the database by batches, however many of the objects are its own', async () => {
    let queries = 0
    const { files, store } = recorded({
      root: '',
      throughEngine: engine =>
        forwardEngine(engine, {
          query(statement, options) {
            queries++
            return engine.query(statement, options)
          },
        }),
    })
    for (let index = 0; index < 120; index++) await files.upload(`${index}.txt`, 'x')
    await store.upload('planted.01kdvdna00ybjy0g37rzvxneha.txt', 'x')
    queries = 0
    expect(await files.adopt()).toMatchObject({ ours: 1 })
    expect(queries).toBeLessThan(10)
  })
})
