import { mkdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { keysOf, theRoot } from './a-root.ts'

const PARTS = [
  'a',
  'b',
  'a.b',
  'a-',
  'a ',
  '',
  'ä',
  '\uffff',
  '😀',
  '%',
  '%25',
  '\n',
  '.stowage',
  'x'.repeat(260),
]
PARTS.push(`${'x'.repeat(250)}y`, 'x'.repeat(243))

describe('a list of a root', () => {
  const root = theRoot()

  it('is what memory lists, for any keys, prefix and start', async () => {
    const files = await root.files()
    const model = memory()
    const random = seeded(3)
    const pick = () => PARTS[Math.floor(random() * PARTS.length)]!
    const keys = new Set<string>()
    while (keys.size < 250) {
      const key = Array.from({ length: 1 + Math.floor(random() * 4) }, pick).join('/')
      if (key !== '' && Buffer.byteLength(key) <= 1024) keys.add(key)
    }
    for (const key of keys) await Promise.all([files.upload(key, key), model.upload(key, key)])
    expect(await keysOf(files)).toEqual(await keysOf(model))
    const all = [...keys]
    for (let i = 0; i < 150; i++) {
      const key = all[Math.floor(random() * all.length)]!
      const prefix = random() < 0.7 ? [...key].slice(0, Math.floor(random() * 8)).join('') : ''
      const options = {
        prefix,
        ...(random() < 0.5 ? { delimiter: '/' as const } : {}),
        ...(random() < 0.5 ? { startAfter: all[Math.floor(random() * all.length)]! } : {}),
        pageSize: 1 + Math.floor(random() * 60),
      }
      expect([options, await keysOf(files, options)]).toEqual([options, await keysOf(model, options)])
    }
    await files.deleteMany(files.list())
    expect(await root.entries()).toEqual([])
  })

  it('folds no folder that holds no object', async () => {
    const files = await root.files()
    await mkdir(await root.path('empty', 'within'), { recursive: true })
    await files.upload('full/a', 'x')
    expect(await keysOf(files, { delimiter: '/' })).toEqual(['full/'])
  })

  it('goes on where it was when others listed meanwhile', async () => {
    const files = await root.files()
    for (let i = 0; i < 5; i++) await files.upload(`k${i}`, 'x')
    const iterators = Array.from({ length: 40 }, () => files.list({ pageSize: 1 })[Symbol.asyncIterator]())
    const seen = iterators.map((): string[] => [])
    for (let i = 0; i < 5; i++)
      for (const [n, iterator] of iterators.entries()) seen[n]!.push((await iterator.next()).value.key)
    for (const keys of seen) expect(keys).toEqual(['k0', 'k1', 'k2', 'k3', 'k4'])
  })
})

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
