import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'

describe('memory', () => {
  it('keeps its own bytes when the caller fills its buffer again', async () => {
    const files = memory()
    const buffer = Buffer.from('mine')
    await files.upload('a', buffer)
    buffer.fill('x')
    const read = await (await files.download('a')).bytes()
    read.fill(0)
    expect(await (await files.download('a')).text()).toBe('mine')
  })

  it('keeps its own attributes when the caller changes those it was given', async () => {
    const files = memory({ now: () => 1_000 })
    await files.upload('a', 'x')
    const [{ value: entry } = {}] = [await files.list()[Symbol.asyncIterator]().next()]
    for (const info of [await files.info('a'), (await files.download('a')).info, entry])
      info.lastModified.setTime(0)
    expect((await files.info('a')).lastModified).toEqual(new Date(1_000))
    expect(Object.isFrozen((await files.info('a')).checksum)).toBe(true)
  })

  it('moves in one step: an upload at the same time is moved or stays, and is never lost', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const files = memory()
      await files.upload('from', 'old', { contentType: 'text/plain' })
      const later = async () => {
        for (let i = 0; i < turns; i++) await undefined
        await files.upload('from', 'new', { contentType: 'text/plain' })
      }
      const uploading = later()
      await files.move('from', 'to')
      await uploading
      const texts: string[] = []
      for await (const entry of files.list())
        if (entry.kind === 'object') texts.push(await (await files.download(entry.key)).text())
      expect(texts).toContain('new')
    }
  })
})
