import { describe, expect, it } from 'vitest'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

describe('copy and move with records', () => {
  it('copies the bytes in the store to a key of their own, with attributes and checksum', async () => {
    const { files, stored } = recorded()
    const source = await files.upload('a.txt', 'bytes', { metadata: { album: 'summer' } })
    const copy = await files.copy('a.txt', 'b/c.txt', { contentType: 'text/markdown' })
    expect(copy).toMatchObject({ size: 5, contentType: 'text/markdown', metadata: { album: 'summer' } })
    expect(copy.checksum).toEqual(source.checksum)
    expect(await stored()).toEqual([`default/a.${source.etag}.txt`, `default/b/c.${copy.etag}.txt`])
  })

  it('deletes the old bytes of a move at once, so that what has become private has no URL left', async () => {
    const { files, stored } = recorded({ replaceGraceMs: 900_000 })
    await files.upload('public/a.txt', 'bytes')
    const { etag } = await files.move('public/a.txt', 'private/a.txt')
    expect(await stored()).toEqual([`default/private/a.${etag}.txt`])
    expect(await files.exists('public/a.txt')).toBe(false)
    expect(await files.jobs()).toEqual([])
  })

  it('shows a reader the file at one of both keys at any moment of a move', async () => {
    const seen: [boolean, boolean][] = []
    const world = recorded({
      through: changed(inner => {
        const look = async () =>
          void seen.push([await world.files.exists('a.txt'), await world.files.exists('b.txt')])
        return {
          async copy(from, to, options) {
            await look()
            const copy = await inner.copy(from, to, options)
            await look()
            return copy
          },
          async deleteMany(keys, options) {
            await look()
            return inner.deleteMany(keys, options)
          },
        }
      }),
    })
    await world.files.upload('a.txt', 'bytes')
    await world.files.move('a.txt', 'b.txt')
    expect(seen).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ])
  })

  it('moves what is current, where the source is replaced while it is copied', async () => {
    let turns = 0
    const world = recorded({
      replaceGraceMs: 0,
      through: changed(inner => ({
        async copy(from, to, options) {
          const copy = await inner.copy(from, to, options)
          if (turns++ === 0) await world.files.upload('a.txt', 'second')
          return copy
        },
      })),
    })
    await world.files.upload('a.txt', 'first')
    await world.files.move('a.txt', 'b.txt')
    expect(await (await world.files.download('b.txt')).text()).toBe('second')
    expect(await world.files.exists('a.txt')).toBe(false)
    expect(await world.stored()).toHaveLength(1)
  })

  it('replaces attributes in place with a copy onto itself, and keeps the bytes', async () => {
    const { files } = recorded()
    await files.upload('a.txt', 'bytes', { metadata: { old: '1' } })
    await files.copy('a.txt', 'a.txt', { metadata: { new: '2' } })
    expect(await files.info('a.txt')).toMatchObject({ metadata: { new: '2' } })
    expect((await files.info('a.txt')).metadata).not.toHaveProperty('old')
    expect(await (await files.download('a.txt')).text()).toBe('bytes')
    await files.move('a.txt', 'a.txt')
    expect(await (await files.download('a.txt')).text()).toBe('bytes')
  })

  it('leaves both as they are where the destination must be new and is not', async () => {
    const { files, stored } = recorded()
    await files.upload('a.txt', 'a')
    await files.upload('b.txt', 'b')
    await expect(files.move('a.txt', 'b.txt', { ifNoneMatch: '*' })).rejects.toSatisfy(
      hasCode('already-exists'),
    )
    expect(await (await files.download('b.txt')).text()).toBe('b')
    expect(await files.exists('a.txt')).toBe(true)
    expect(await stored()).toHaveLength(2)
  })
})
