import { describe, expect, it } from 'vitest'
import { memoryCache } from '../../src/cache/index.ts'
import { refused } from '../support/refused.ts'

describe('memoryCache', () => {
  it('sets what is absent, returns what is there, and forgets what is deleted', async () => {
    const cache = memoryCache()
    const entry = (key: string, value: string) => ({ key, value, ttlMs: 1000 })
    expect(await cache.setMany([entry('a', '1'), entry('b', '2')])).toEqual(['1', '2'])
    expect(await cache.setMany([entry('b', '3'), entry('c', '4')])).toEqual(['2', '4'])
    expect(await cache.getMany(['c', 'x', 'a'])).toEqual(['4', undefined, '1'])
    await cache.deleteMany(['a', 'x'])
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, '2'])
  })

  it('lets each entry live for its own time, which reading does not extend and setting does', async () => {
    let at = 0
    const cache = memoryCache({ now: () => at })
    await cache.setMany([
      { key: 'a', value: '1', ttlMs: 100 },
      { key: 'b', value: '2', ttlMs: 200 },
    ])
    at = 100
    expect(await cache.getMany(['a', 'b'])).toEqual(['1', '2'])
    at = 101
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, '2'])
    expect(await cache.setMany([{ key: 'b', value: '3', ttlMs: 50 }])).toEqual(['2'])
    at = 200
    expect(await cache.setMany([{ key: 'b', value: '3', ttlMs: 50 }])).toEqual(['2'])
    at = 250
    expect(await cache.getMany(['b'])).toEqual(['2'])
    at = 251
    expect(await cache.setMany([{ key: 'b', value: '3', ttlMs: 50 }])).toEqual(['3'])
  })

  it('drops what was not used for longest when it is full', async () => {
    const cache = memoryCache({ maxEntries: 2 })
    const set = (key: string) => cache.setMany([{ key, value: key, ttlMs: 1000 }])
    await set('a')
    await set('b')
    await cache.getMany(['a'])
    await set('c')
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(['a', undefined, 'c'])
  })

  it.each<[object, RegExp]>([
    [{ maxEntries: 0 }, /maxEntries must be a whole number above 0/],
    [{ maxEntries: 1.5 }, /maxEntries must be a whole number above 0/],
    [{ max: 5 }, /unknown option 'max'/],
  ])('refuses %o', (options, message) => {
    expect(() => memoryCache(options)).toThrow(refused(message))
  })
})
