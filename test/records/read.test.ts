import { describe, expect, it } from 'vitest'
import { forwardEngine } from '../support/forward-engine.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

describe('reading with records', () => {
  it('tells what the record says, and asks the store nothing', async () => {
    let asked = 0
    const { files } = recorded({
      through: changed(inner => ({
        info: (key, options) => {
          asked++
          return inner.info(key, options)
        },
        list: options => {
          asked++
          return inner.list(options)
        },
      })),
    })
    await files.upload('a.txt', 'bytes', { metadata: { album: 'summer' }, cacheControl: 'max-age=60' })
    expect(await files.info('a.txt')).toMatchObject({
      size: 5,
      contentType: 'text/plain',
      cacheControl: 'max-age=60',
      metadata: { album: 'summer' },
      checksum: { algorithm: 'sha256' },
    })
    const results = await files.infoMany(['a.txt', 'b.txt', 'a.txt', '\ud800'])
    expect(results.map(result => (result.ok ? result.value.size : result.error.code))).toEqual([
      5,
      'not-found',
      5,
      'invalid-key',
    ])
    for await (const entry of files.list()) expect(entry).toMatchObject({ key: 'a.txt', size: 5 })
    expect(await files.exists('a.txt')).toBe(true)
    expect(asked).toBe(0)
  })

  it('follows a pointer that changes while it is read', async () => {
    let turns = 0
    const world = recorded({
      replaceGraceMs: 0,
      through: changed(inner => ({
        async download(key, options) {
          if (turns++ < 3) await world.files.upload('a.txt', `turn ${turns}`)
          return inner.download(key, options)
        },
      })),
    })
    await world.files.upload('a.txt', 'first')
    expect(await (await world.files.download('a.txt')).text()).toBe('turn 3')
  })

  it('says not-found for a file that is deleted while it is opened', async () => {
    const world = recorded({
      through: changed(inner => ({
        async download(key, options) {
          await world.files.delete('a.txt')
          return inner.download(key, options)
        },
      })),
    })
    await world.files.upload('a.txt', 'first')
    await expect(world.files.download('a.txt')).rejects.toSatisfy(hasCode('not-found'))
    expect(world.events.filter(event => event.severity === 'alarm')).toEqual([])
  })

  it('raises an alarm for a live record without bytes, and never says not-found', async () => {
    const { files, store, stored, events } = recorded()
    await files.upload('a.txt', 'bytes')
    await store.delete((await stored())[0]!)
    await expect(files.download('a.txt')).rejects.toSatisfy(hasCode('internal'))
    await expect(files.copy('a.txt', 'b.txt')).rejects.toSatisfy(hasCode('internal'))
    expect(events.filter(event => event.severity === 'alarm').map(event => event.kind)).toEqual([
      'bytes-missing',
      'bytes-missing',
    ])
    expect(await files.exists('b.txt')).toBe(false)
  })

  it('raises an alarm where the store has another number of bytes than the record says', async () => {
    const { files, store, stored, events } = recorded()
    await files.upload('a.txt', 'bytes')
    await store.upload((await stored())[0]!, 'other bytes')
    await expect(files.download('a.txt')).rejects.toSatisfy(hasCode('internal'))
    expect(events.map(event => event.kind)).toEqual(['bytes-differ'])
  })

  it('lists folders in one step each, however many files are in them', async () => {
    let queries = 0
    const { files } = recorded({
      throughEngine: engine =>
        forwardEngine(engine, {
          query(statement, options) {
            if (statement[0].includes('ORDER BY key')) queries++
            return engine.query(statement, options)
          },
        }),
    })
    for (const folder of ['a', 'b'])
      await Promise.all(Array.from({ length: 60 }, (_, index) => files.upload(`${folder}/${index}`, 'x')))
    await files.upload('c', 'x')
    const names: string[] = []
    for await (const entry of files.list({ delimiter: '/', pageSize: 10 }))
      names.push(entry.kind === 'prefix' ? entry.prefix : entry.key)
    expect(names).toEqual(['a/', 'b/', 'c'])
    expect(queries).toBeLessThanOrEqual(4)
  })
})

describe('find', () => {
  it('finds by prefix, type, size, time and metadata, in key order and by pages', async () => {
    const { files, advance, now } = recorded()
    await files.upload('a/1.jpg', 'x', { metadata: { album: 'summer', rating: '5' } })
    await files.upload('a/2.png', 'xx', { metadata: { album: 'summer' } })
    advance(60_000)
    const later = new Date(now())
    await files.upload('b/3.jpg', 'xxx', { metadata: { Album: 'winter' } })
    await files.upload('b/4.txt', 'xxxx', { contentType: 'text/plain; charset=utf-8' })
    const found = async (options: Parameters<typeof files.find>[0]) => {
      const keys: string[] = []
      for await (const entry of files.find(options)) if (entry.kind === 'object') keys.push(entry.key)
      return keys
    }
    expect(await found({})).toEqual(['a/1.jpg', 'a/2.png', 'b/3.jpg', 'b/4.txt'])
    expect(await found({ prefix: 'a/' })).toEqual(['a/1.jpg', 'a/2.png'])
    expect(await found({ contentType: 'image/*' })).toEqual(['a/1.jpg', 'a/2.png', 'b/3.jpg'])
    expect(await found({ contentType: 'image/jpeg' })).toEqual(['a/1.jpg', 'b/3.jpg'])
    expect(await found({ contentType: 'text/plain' })).toEqual(['b/4.txt'])
    expect(await found({ size: { min: 2, max: 3 } })).toEqual(['a/2.png', 'b/3.jpg'])
    expect(await found({ modified: { after: later } })).toEqual(['b/3.jpg', 'b/4.txt'])
    expect(await found({ modified: { before: later } })).toEqual(['a/1.jpg', 'a/2.png'])
    expect(await found({ metadata: { album: 'summer' } })).toEqual(['a/1.jpg', 'a/2.png'])
    expect(await found({ metadata: { ALBUM: 'summer', rating: '5' } })).toEqual(['a/1.jpg'])
    expect(await found({ metadata: { album: 'winter' }, contentType: 'image/*', pageSize: 1 })).toEqual([
      'b/3.jpg',
    ])
    const first = await files.find().page({ limit: 3 })
    expect(first.items).toHaveLength(3)
    expect((await files.find().page({ limit: 3, after: first.next! })).items).toMatchObject([
      { key: 'b/4.txt' },
    ])
  })

  it('finds by the metadata of the current file only, and nothing that is deleted', async () => {
    const { files } = recorded()
    await files.upload('a', 'x', { metadata: { album: 'summer' } })
    await files.upload('a', 'x', { metadata: { album: 'winter' } })
    await files.upload('b', 'x', { metadata: { album: 'winter' } })
    await files.delete('b')
    expect((await files.find({ metadata: { album: 'summer' } }).page()).items).toEqual([])
    expect((await files.find({ metadata: { album: 'winter' } }).page()).items).toMatchObject([{ key: 'a' }])
  })

  it('refuses what is no condition', async () => {
    const { files } = recorded()
    for (const options of [
      { contentType: 'image' },
      { contentType: '*/*' },
      { size: { min: 1.5 } },
      { modified: { after: new Date(Number.NaN) } },
      { pageSize: 0 },
      { metadata: { a: 1 } },
      { prefix: 7 },
      { albums: 'x' },
    ])
      expect(() => files.find(options as never), JSON.stringify(options)).toThrow()
  })
})
