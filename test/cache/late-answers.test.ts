import { describe, expect, it } from 'vitest'
import { type CacheSignedUrlsOptions, memoryCache, type SignedUrlCache } from '../../src/cache/index.ts'
import { DAY, gate, Signer, settle } from './stack.ts'

/** A cache whose answers are held back where one is set: what was asked for has happened, nobody knows it yet. */
function heldCache(signer: Signer, shared = memoryCache({ now: signer.clock.now })) {
  const held: Partial<Record<keyof SignedUrlCache, Promise<unknown>>> = {}
  const failing = new Set<keyof SignedUrlCache>()
  const calls: (keyof SignedUrlCache)[] = []
  const answer = async <T>(method: keyof SignedUrlCache, work: () => Promise<T>): Promise<T> => {
    calls.push(method)
    const { [method]: wait } = held
    if (failing.has(method)) throw new Error('the cache is down')
    const value = await work()
    await wait
    return value
  }
  const cache: SignedUrlCache = {
    getMany: keys => answer('getMany', () => shared.getMany(keys)),
    setMany: entries => answer('setMany', () => shared.setMany(entries)),
    deleteMany: keys => answer('deleteMany', () => shared.deleteMany(keys)),
  }
  return { cache, shared, held, failing, calls }
}

/** Timers that go off when they are told to. */
function handTimers() {
  const waiting = new Map<() => void, string>()
  const timer: NonNullable<CacheSignedUrlsOptions['timer']> = (_, call, why) => {
    waiting.set(call, why)
    return () => void waiting.delete(call)
  }
  const goOff = async (why: 'timeout' | 'retry') => {
    await settle()
    for (const [call, reason] of [...waiting]) if (reason === why && waiting.delete(call)) call()
    await settle()
  }
  return { timer, goOff }
}

describe('an answer of the cache that comes late', () => {
  it('is not believed of an object that the cache could not be told of when it was asked', async () => {
    const signer = new Signer()
    const { cache, held, failing } = heldCache(signer)
    const { timer, goOff } = handTimers()
    const files = signer.cached({ cache, timer })
    await files.upload('a', 'x')
    const { url } = await files.signedUrl('a')
    failing.add('deleteMany')
    await files.delete('a')
    failing.clear()
    const { opened, open } = gate()
    held.getMany = opened
    // Asked after the delete has returned, answered with what was there before the cache is told of it.
    const asked = files.signedUrl('a')
    await goOff('retry')
    open()
    expect((await asked).url).not.toBe(url)
  })

  it('to a signing under way gives nobody what was deleted before they asked', async () => {
    const signer = new Signer()
    const { cache, shared, held } = heldCache(signer)
    const here = signer.cached({ cache })
    const there = signer.cached({ cache: shared })
    // Here a lookup finds nothing; before it goes on, the other process has kept a URL.
    const looking = gate()
    held.getMany = looking.opened
    const first = here.signedUrl('a')
    await settle()
    const { url } = await there.signedUrl('a')
    const agreeing = gate()
    held.setMany = agreeing.opened
    held.getMany = undefined
    looking.open()
    // The generation of the other process is agreed on, which is not known here when the object is deleted.
    await settle()
    await there.delete('a')
    const second = here.signedUrl('a')
    await settle()
    held.setMany = undefined
    agreeing.open()
    await first
    expect((await second).url).not.toBe(url)
  })
})

describe('a cache that was away for a moment', () => {
  it('for a lookup is told of the next delete all the same', async () => {
    const signer = new Signer()
    const { cache, shared, held } = heldCache(signer)
    const { timer, goOff } = handTimers()
    const files = signer.cached({ cache, timer, monotonic: () => 0 })
    const elsewhere = signer.cached({ cache: shared })
    const { url } = await elsewhere.signedUrl('a')
    held.getMany = new Promise(() => {})
    const slow = files.signedUrl('b')
    await goOff('timeout')
    await slow
    await files.delete('a')
    expect((await elsewhere.signedUrl('a')).url).not.toBe(url)
  })

  it('is told as soon as it answers again', async () => {
    const signer = new Signer()
    const { cache, shared, failing } = heldCache(signer)
    const files = signer.cached({ cache, timer: handTimers().timer })
    const elsewhere = signer.cached({ cache: shared })
    const { url } = await elsewhere.signedUrl('a')
    failing.add('deleteMany')
    await files.delete('a')
    failing.clear()
    await files.signedUrl('b')
    await settle()
    expect((await elsewhere.signedUrl('a')).url).not.toBe(url)
  })

  it('is told when the provider is closed, though it has just been given up', async () => {
    const signer = new Signer()
    const { cache, shared, held } = heldCache(signer)
    const { timer, goOff } = handTimers()
    const files = signer.cached({ cache, timer, monotonic: () => 0 })
    const elsewhere = signer.cached({ cache: shared })
    const { url } = await elsewhere.signedUrl('a')
    // Closing one of them closes the store of both.
    Object.assign(signer.store, { close: async () => {} })
    held.deleteMany = new Promise(() => {})
    const late = files.delete('a')
    await goOff('timeout')
    await late
    // What was deleted has been signed anew since by a process that knew of nothing; the last word is the delete's.
    const again = await elsewhere.signedUrl('a')
    expect(again.url).not.toBe(url)
    held.deleteMany = undefined
    await files.close()
    expect((await elsewhere.signedUrl('a')).url).not.toBe(again.url)
  })
})

describe('a cache of somebody else', () => {
  it('may say null, or nonsense, for what it does not have', async () => {
    const signer = new Signer()
    const inner = memoryCache({ now: signer.clock.now })
    const odd: unknown[] = [null, 0, {}, []]
    let turn = 0
    const cache = {
      ...inner,
      getMany: async (keys: readonly string[]) =>
        (await inner.getMany(keys)).map(value => value ?? odd[turn++ % odd.length]),
    }
    const files = signer.cached({ cache: cache as SignedUrlCache, localEntries: 0 })
    for (const wish of [{}, { expiresIn: DAY }, { expiresIn: 2 * DAY }, { expiresIn: 3 * DAY }]) {
      const { url } = await files.signedUrl('a', wish)
      expect((await files.signedUrl('a', wish)).url).toBe(url)
    }
  })

  it('is not believed about a URL that lives longer than was asked for', async () => {
    const signer = new Signer()
    const cache = memoryCache({ now: signer.clock.now })
    const ahead = signer.clock.ms + 2 * DAY * 1000
    const wrong = new Signer({ now: () => ahead } as never)
    // One store for both, seen by a process whose clock is two days ahead.
    Object.defineProperty(wrong.store, 'location', { value: signer.store.location })
    const { url } = await wrong.cached({ cache, now: () => ahead }).signedUrl('a', { expiresIn: DAY })
    const { expiresAt, ...own } = await signer.cached({ cache }).signedUrl('a', { expiresIn: DAY })
    expect(own.url).not.toBe(url)
    expect(expiresAt.getTime() - signer.clock.ms).toBeLessThanOrEqual(DAY * 1000)
  })
})
