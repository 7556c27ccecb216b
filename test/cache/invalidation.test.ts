import { describe, expect, it } from 'vitest'
import { cacheSignedUrls, memoryCache, type SignedUrlCache } from '../../src/cache/index.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/index.ts'
import { Clock, countedCache, DAY, gate, Signer, settle } from './stack.ts'

/** Two processes over one store and one cache, and all the URLs of a key that are in the cache. */
function twoProcesses() {
  const signer = new Signer()
  const cache = memoryCache({ now: signer.clock.now })
  const [here, there] = [signer.cached({ cache }), signer.cached({ cache })]
  const wishes = [{}, { expiresIn: DAY }, { download: 'a.txt' }, { method: 'HEAD' }] as const
  const urls = async (key: string, files = here) =>
    Promise.all(wishes.map(async wish => (await files.signedUrl(key, wish)).url))
  return { signer, cache, here, there, urls }
}

const CHANGES: [string, (files: StorageProvider) => Promise<unknown>][] = [
  ['upload', files => files.upload('a', 'new')],
  ['delete', files => files.delete('a')],
  ['deleteMany', files => files.deleteMany(['x', 'a'])],
  ['deleteMany of a list', files => files.deleteMany(files.list({ prefix: 'a' }))],
  ['copy onto it', files => files.copy('b', 'a')],
  ['move onto it', files => files.move('b', 'a')],
  ['move away', files => files.move('a', 'c')],
]

describe.each(CHANGES)('%s', (_, change) => {
  it('ends every URL of the object, in each process, and no other', async () => {
    const { here, there, urls } = twoProcesses()
    for (const key of ['a', 'b', 'b/a']) await here.upload(key, 'x')
    const before = await urls('a')
    const neighbour = await urls('b/a')
    expect(await urls('a', there)).toEqual(before)
    await change(there)
    const after = await urls('a')
    for (const [at, url] of before.entries()) expect(after[at]).not.toBe(url)
    expect(await urls('a', there)).toEqual(after)
    expect(await urls('b/a')).toEqual(neighbour)
  })

  it.each(['known', 'never seen'])(
    'is not undone by a signing under way of an object that is %s',
    async seen => {
      const { signer, here, there } = twoProcesses()
      for (const key of ['a', 'b']) await here.upload(key, 'x')
      if (seen === 'known') await here.signedUrl('a', { expiresIn: DAY })
      const { opened, open } = gate()
      signer.gate = opened
      const late = here.signedUrl('a')
      await settle()
      signer.gate = undefined
      await change(there)
      // Who asks now does not wait for what was begun before.
      const fresh = await here.signedUrl('a')
      open()
      const { url } = await late
      expect(fresh.url).not.toBe(url)
      for (const files of [here, there]) expect((await files.signedUrl('a')).url).toBe(fresh.url)
    },
  )
})

describe('an invalidation', () => {
  it('holds against a signing under way though the cache loses everything meanwhile', async () => {
    const signer = new Signer()
    let kept = memoryCache({ now: signer.clock.now })
    const cache: SignedUrlCache = {
      getMany: keys => kept.getMany(keys),
      setMany: entries => kept.setMany(entries),
      deleteMany: keys => kept.deleteMany(keys),
    }
    const [here, there] = [signer.cached({ cache }), signer.cached({ cache })]
    const { opened, open } = gate()
    signer.gate = opened
    const late = here.signedUrl('a')
    await settle()
    await there.delete('a')
    kept = memoryCache({ now: signer.clock.now })
    signer.gate = undefined
    open()
    const { url } = await late
    expect((await there.signedUrl('a')).url).not.toBe(url)
  })

  it('takes lost generations and lost entries for misses', async () => {
    const signer = new Signer()
    const cache = memoryCache({ now: signer.clock.now })
    const names: string[] = []
    const files = signer.cached({
      localEntries: 0,
      cache: {
        ...cache,
        getMany(keys) {
          names.push(...keys)
          return cache.getMany(keys)
        },
      },
    })
    let { url } = await files.signedUrl('a')
    for (const name of new Set(names)) {
      await cache.deleteMany([name])
      const again = (await files.signedUrl('a')).url
      expect(again).not.toBe(url)
      expect((await files.signedUrl('a')).url).toBe(again)
      url = again
    }
  })

  it('follows what failed and may have happened, not what was refused', async () => {
    const signer = new Signer()
    const cache = memoryCache({ now: signer.clock.now })
    let failure: StorageError | undefined
    const fail = async () => {
      throw failure
    }
    const store = forward(signer.store, { upload: fail, delete: fail, copy: fail, move: fail })
    const files = cacheSignedUrls(store, { cache, now: signer.clock.now })
    const changes = [
      () => files.upload('a', 'x'),
      () => files.delete('a'),
      () => files.copy('b', 'a'),
      () => files.move('a', 'b'),
      () => files.move('b', 'a'),
    ]
    const MOVES = 3
    for (const [error, ends] of [
      [new StorageError('timeout', 'no answer'), true],
      [new StorageError('unavailable', 'gone'), true],
      [new StorageError('aborted', 'by the caller'), true],
      [new StorageError('precondition-failed', 'another etag', { uncertain: true }), true],
      [new StorageError('precondition-failed', 'another etag'), false],
      [new StorageError('already-exists', 'it is there'), false],
      [new StorageError('permission-denied', 'no'), false],
    ] as const)
      for (const [at, change] of changes.entries()) {
        const { url } = await files.signedUrl('a')
        failure = error
        await expect(change()).rejects.toBe(error)
        // A move that may not delete its source has written its destination.
        expect([at, (await files.signedUrl('a')).url === url]).toEqual([at, !(ends || at >= MOVES)])
      }
  })

  it('follows each key of a deleteMany that may be gone, and all that were taken where it was aborted', async () => {
    const signer = new Signer()
    const cache = memoryCache({ now: signer.clock.now })
    const error = (code: 'permission-denied' | 'timeout', key: string) => ({
      key,
      status: 'error' as const,
      error: new StorageError(code, 'failed'),
    })
    let broken = false
    const store = forward(signer.store, {
      async deleteMany(keys, options) {
        const taken: string[] = []
        for await (const key of keys as AsyncIterable<string>) {
          taken.push(key)
          if (broken && taken.length === 2) throw new StorageError('aborted', 'by the caller')
        }
        const results = await signer.store.deleteMany(taken, options)
        return results.map(result =>
          result.key === 'kept'
            ? error('permission-denied', 'kept')
            : result.key === 'who knows'
              ? error('timeout', 'who knows')
              : result,
        )
      },
    })
    const files = cacheSignedUrls(store, { cache, now: signer.clock.now })
    const keys = ['gone', 'kept', 'who knows', 'untouched']
    const urls = async () => (await files.signedUrls(keys)).map(one => one.ok && one.value.url)
    const before = await urls()
    await files.deleteMany(['gone', 'kept', 'who knows'])
    const after = await urls()
    expect(after.map((url, at) => url === before[at])).toEqual([false, true, false, true])
    broken = true
    await expect(files.deleteMany(['gone', 'kept', 'who knows'])).rejects.toMatchObject({ code: 'aborted' })
    expect((await urls()).map((url, at) => url === after[at])).toEqual([false, false, true, true])
  })

  it('costs one call for as many as a thousand', async () => {
    const clock = new Clock()
    const { cache, calls } = countedCache(clock)
    const files = new Signer(clock).cached({ cache })
    await files.deleteMany(Array.from({ length: 1500 }, (_, n) => `k${n}`))
    expect(calls).toEqual(['deleteMany 1000', 'deleteMany 500'])
  })
})

/** A cache that fails, hangs or answers, as it is told to. */
function moodyCache(clock: Clock) {
  const cache = memoryCache({ now: clock.now })
  const calls: string[] = []
  const mood = { is: 'well' as 'well' | 'failing' | 'hanging' | 'throwing' | 'babbling' }
  const through = <T>(name: string, call: () => Promise<T>): Promise<T> => {
    calls.push(name)
    if (mood.is === 'failing') return Promise.reject(new StorageError('unavailable', 'the cache is down'))
    if (mood.is === 'hanging') return new Promise(() => {})
    if (mood.is === 'throwing') throw new Error('at once')
    if (mood.is === 'babbling') return Promise.resolve('?' as T)
    return call()
  }
  const moody: SignedUrlCache = {
    getMany: keys => through('getMany', () => cache.getMany(keys)),
    setMany: entries => through('setMany', () => cache.setMany(entries)),
    deleteMany: keys => through('deleteMany', () => cache.deleteMany(keys)),
  }
  return { cache: moody, calls, mood, healthy: cache }
}

/** Timers that go off when they are told to. */
function handTimers() {
  const waiting = new Set<{ ms: number; call: () => void; why: string }>()
  return {
    timer(ms: number, call: () => void, why: string) {
      const one = { ms, call, why }
      waiting.add(one)
      return () => void waiting.delete(one)
    },
    waiting,
    async goOff(why: string) {
      await settle()
      for (const one of [...waiting].filter(each => each.why === why)) {
        waiting.delete(one)
        one.call()
      }
      await settle()
    },
  }
}

describe('a cache that is down', () => {
  it.each(['failing', 'throwing', 'babbling'] as const)('(%s) fails nothing', async is => {
    const signer = new Signer()
    const { cache, mood } = moodyCache(signer.clock)
    const errors: unknown[] = []
    const files = signer.cached({
      cache,
      onError: error => {
        errors.push(error)
        throw new Error('the listener fails, too')
      },
    })
    mood.is = is
    await files.upload('a', 'x')
    expect(await files.signedUrl('a')).toMatchObject({ method: 'GET' })
    expect((await files.signedUrls(['a', 'b'])).map(one => one.ok)).toEqual([true, true])
    expect(await files.delete('a')).toMatchObject({ status: 'deleted' })
    expect(await files.deleteMany(['b'])).toMatchObject([{ status: 'missing' }])
    expect(errors.length).toBe(is === 'babbling' ? 2 : 5)
    await files.close()
  })

  it('costs its time once, not once a call, and is asked again by one call first', async () => {
    const signer = new Signer()
    const { cache, mood, calls } = moodyCache(signer.clock)
    const timers = handTimers()
    let at = 0
    const files = signer.cached({ cache, timer: timers.timer, monotonic: () => at, coolDownMs: 5000 })
    const { url } = await files.signedUrl('a')
    mood.is = 'hanging'
    const slow = files.signedUrl('a')
    await timers.goOff('timeout')
    expect((await slow).url).not.toBe(url)
    calls.length = 0
    at = 4999
    for (let n = 0; n < 3; n++) await files.signedUrl('a')
    expect(calls).toEqual([])
    // Whether a URL could be looked up says nothing about whether one can be ended: that is tried for itself, once.
    const change = files.upload('b', 'x')
    await timers.goOff('timeout')
    await change
    for (let n = 0; n < 3; n++) await files.upload('b', 'x')
    expect(calls.splice(0)).toEqual(['deleteMany'])
    at = 5000
    const first = files.signedUrl('a')
    await files.signedUrl('a')
    expect(calls).toEqual(['getMany'])
    await timers.goOff('timeout')
    await first
    at = 10_000
    mood.is = 'well'
    expect((await files.signedUrl('a')).url).toBe(url)
    expect((await files.signedUrl('a')).url).toBe(url)
  })

  it('that answers with a failure is asked again by the next call', async () => {
    const signer = new Signer()
    const { cache, mood } = moodyCache(signer.clock)
    const files = signer.cached({ cache })
    const { url } = await files.signedUrl('a')
    mood.is = 'failing'
    expect((await files.signedUrl('a')).url).not.toBe(url)
    mood.is = 'well'
    expect((await files.signedUrl('a')).url).toBe(url)
  })

  it('when what was signed is to be kept costs nothing but that', async () => {
    const signer = new Signer()
    const { cache, healthy } = moodyCache(signer.clock)
    const failing = {
      ...cache,
      getMany: healthy.getMany,
      setMany: () => Promise.reject(new Error('read-only')),
    }
    const files = signer.cached({ cache: failing })
    const urls = await Promise.all([1, 2].map(async () => (await files.signedUrl('a')).url))
    expect(urls.every(url => url.includes('/a?'))).toBe(true)
  })

  it('does not block a delete, is told of it later, and is passed by for that object until then', async () => {
    const signer = new Signer()
    const { cache, mood } = moodyCache(signer.clock)
    const timers = handTimers()
    const files = signer.cached({ cache, timer: timers.timer })
    const elsewhere = signer.cached({ cache, timer: timers.timer })
    await files.upload('a', 'x')
    const { url } = await files.signedUrl('a')
    const { url: other } = await files.signedUrl('b')
    mood.is = 'failing'
    expect(await files.delete('a')).toMatchObject({ status: 'deleted' })
    mood.is = 'well'
    // What remains: another process hears of it when this one can tell it.
    expect((await elsewhere.signedUrl('a')).url).toBe(url)
    expect((await files.signedUrl('a')).url).not.toBe(url)
    expect((await files.signedUrl('b')).url).toBe(other)
    await timers.goOff('retry')
    const fresh = (await elsewhere.signedUrl('a')).url
    expect(fresh).not.toBe(url)
    expect((await files.signedUrl('a')).url).toBe(fresh)
  })

  it('is told again and again until it hears, the last time when the provider is closed', async () => {
    const signer = new Signer()
    const { cache, mood, calls, healthy } = moodyCache(signer.clock)
    const timers = handTimers()
    const files = signer.cached({ cache, timer: timers.timer })
    await files.signedUrl('a')
    mood.is = 'failing'
    await files.delete('a')
    calls.length = 0
    for (let n = 0; n < 3; n++) await timers.goOff('retry')
    expect(calls).toEqual(['deleteMany', 'deleteMany', 'deleteMany'])
    expect(timers.waiting.size).toBe(1)
    mood.is = 'well'
    await files.close()
    expect(timers.waiting.size).toBe(0)
    const elsewhere = new Signer(signer.clock)
    expect(await healthy.getMany([elsewhere.store.location])).toEqual([undefined])
    expect(calls).toHaveLength(4)
  })

  it('loses none that is added while the cache is being told', async () => {
    const signer = new Signer()
    const inner = memoryCache({ now: signer.clock.now })
    const timers = handTimers()
    const told: (readonly string[])[] = []
    let answer: ((ok: boolean) => void) | undefined
    const cache: SignedUrlCache = {
      ...inner,
      async deleteMany(keys) {
        told.push(keys)
        const ok = await new Promise<boolean>(resolve => {
          answer = resolve
        })
        if (!ok) throw new Error('not now')
        await inner.deleteMany(keys)
      },
    }
    const files = signer.cached({ cache, timer: timers.timer })
    const first = files.delete('a')
    await settle()
    answer!(false)
    await first
    await timers.goOff('retry')
    const tellingFirst = answer!
    const second = files.delete('a')
    await settle()
    const tellingSecond = answer!
    tellingSecond(false)
    await second
    tellingFirst(true)
    await settle()
    await timers.goOff('retry')
    expect(told).toHaveLength(4)
    answer!(true)
    await settle()
    expect([...timers.waiting].filter(one => one.why === 'retry')).toEqual([])
  })
})
