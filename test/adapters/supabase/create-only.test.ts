import { describe, expect, it } from 'vitest'
import { pieces, underTest } from './under-test.ts'

const host = underTest()
const once = { ifNoneMatch: '*' } as const

describe('an upload that must not replace', () => {
  it('has one winner of many at once, whose bytes are there, and leaves nothing else', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    for (let round = 0; round < 3; round++) {
      const key = `a/${round}.txt`
      const tries = Array.from({ length: 8 }, (_, at) => files.upload(key, `body ${at}`, once))
      const outcomes = await Promise.allSettled(tries)
      const winners = outcomes.flatMap((outcome, at) => (outcome.status === 'fulfilled' ? [at] : []))
      expect(winners).toHaveLength(1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'already-exists' })
      expect(await (await files.download(key)).text()).toBe(`body ${winners[0]}`)
    }
    expect(await host.names(bucket)).toEqual(['a/0.txt', 'a/1.txt', 'a/2.txt'])
  })

  it('has one winner of copies and moves, too', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    await Promise.all(['1', '2', '3', '4'].map(name => files.upload(name, `from ${name}`)))
    const outcomes = await Promise.allSettled([
      files.copy('1', 'to', once),
      files.copy('2', 'to', once),
      files.move('3', 'to', once),
      files.move('4', 'to', { ...once, metadata: { a: 'b' } }),
    ])
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const names = await host.names(bucket)
    expect(names.every(name => /^(?:[1-4]|to)$/.test(name))).toBe(true)
    expect(names).toContain('to')
  })

  it('sends no byte where something is there already', async () => {
    const bucket = await host.bucket()
    await host.open(bucket).upload('a', 'old')
    const { files, sent } = host.recorded(bucket)
    await expect(files.upload('a', 'new', once)).rejects.toMatchObject({ code: 'already-exists', key: 'a' })
    expect(sent.map(({ method }) => method)).toEqual(['GET'])
  })

  it('takes its temporary object away when the body fails', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket, { resumableThresholdBytes: 1000, chunkSizeBytes: 1000 })
    const body = pieces(Buffer.alloc(5000), 700, new Error('the source broke'))
    await expect(files.upload('a', body, once)).rejects.toMatchObject({ code: 'aborted' })
    expect(await host.names(bucket)).toEqual([])
  })

  it('finds out that its move took place when only the answer was lost', async () => {
    const bucket = await host.bucket()
    const lost = host.recorded(bucket, {}, ({ path }) => (path === '/object/move' ? 'lose' : undefined))
    expect(await lost.files.upload('a', 'hello', once)).toMatchObject({ key: 'a', size: 5 })
    expect(await host.names(bucket)).toEqual(['a'])
  })

  it('finds out that its move never took place, and leaves nothing', async () => {
    const bucket = await host.bucket()
    const lost = host.recorded(bucket, {}, ({ path }) => (path === '/object/move' ? 'break' : undefined))
    await expect(lost.files.upload('a', 'hello', once)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await host.names(bucket)).toEqual([])
  })

  it('keeps its temporary object out of lists', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    await host.put(bucket, `a/.stowage-temp-${'0'.repeat(32)}`, 'left behind by a crash')
    await files.upload('a/b', 'hello')
    const keys = (await files.list().page()).items.map(entry => entry.kind === 'object' && entry.key)
    expect(keys).toEqual(['a/b'])
  })
})
