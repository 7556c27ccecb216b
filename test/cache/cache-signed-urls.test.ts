import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { s3 } from '../../src/adapters/s3/index.ts'
import { cacheSignedUrls, memoryCache } from '../../src/cache/index.ts'
import { forward, prefix, retry } from '../../src/decorators/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { refused } from '../support/refused.ts'
import { Clock, countedCache, DAY, gate, HOUR, Signer, settle, signing } from './stack.ts'

const bucket = {
  bucket: 'photos',
  endpoint: 'http://127.0.0.1:9',
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the tests' },
}

describe('cacheSignedUrls', () => {
  it('hands out one URL for as long as it lives, less the margin', async () => {
    const signer = new Signer()
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    const first = await files.signedUrl('a')
    expect(first.expiresAt.getTime() - signer.clock.ms).toBe(30 * DAY * 1000)
    signer.clock.pass(30 * DAY - HOUR)
    expect(await files.signedUrl('a')).toEqual(first)
    signer.clock.pass(1)
    const second = await files.signedUrl('a')
    expect(second.url).not.toBe(first.url)
    expect(second.expiresAt.getTime() - signer.clock.ms).toBe(30 * DAY * 1000)
    expect(signer.keys).toEqual(['a', 'a'])
  })

  it('never extends what it keeps by reading it', async () => {
    const signer = new Signer()
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }), expiresIn: DAY })
    for (let hour = 0; hour <= 23; hour++) {
      await files.signedUrl('a')
      signer.clock.pass(HOUR)
    }
    expect(signer.keys).toEqual(['a'])
    await files.signedUrl('a')
    expect(signer.keys).toEqual(['a', 'a'])
  })

  it('says what it does by default: the lifetime, and its place among the layers', () => {
    const cache = memoryCache()
    const files = cacheSignedUrls(retry(memory({ signing })), { cache })
    expect(files.capabilities.signedUrl).toMatchObject({ defaultExpiresIn: 30 * DAY })
    expect(files.capabilities.layers).toEqual(['cacheSignedUrls', 'retry'])
    expect(cacheSignedUrls(s3(bucket), { cache }).capabilities.signedUrl).toMatchObject({
      defaultExpiresIn: 7 * DAY,
      maxExpiresIn: 7 * DAY,
    })
  })

  it('keeps a URL on S3 for seven days less the margin', async () => {
    const clock = new Clock()
    const files = cacheSignedUrls(s3({ ...bucket, now: clock.now }), {
      cache: memoryCache({ now: clock.now }),
      now: clock.now,
    })
    const { url } = await files.signedUrl('a')
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe(String(7 * DAY))
    clock.pass(7 * DAY - HOUR)
    expect((await files.signedUrl('a')).url).toBe(url)
    clock.pass(1)
    expect((await files.signedUrl('a')).url).not.toBe(url)
    await expect(files.signedUrl('a', { expiresIn: 7 * DAY + 1 })).rejects.toThrow(/from 1 to 604800/)
  })

  it('tells apart lifetimes, methods and names to save under', async () => {
    const signer = new Signer()
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    const wishes = [
      {},
      { expiresIn: DAY },
      { method: 'HEAD' },
      { download: true },
      { download: 'a.txt' },
      { download: 'a}:GET.txt' },
    ] as const
    const urls = await Promise.all(wishes.map(async wish => (await files.signedUrl('a', wish)).url))
    expect(new Set(urls).size).toBe(wishes.length)
    for (const [index, wish] of wishes.entries())
      expect((await files.signedUrl('a', wish)).url).toBe(urls[index])
    expect((await files.signedUrl('a', { method: 'GET', download: false })).url).toBe(urls[0])
    expect(signer.keys).toHaveLength(wishes.length)
  })

  it('keeps no URL that writes, and asks for its lifetime', async () => {
    const signer = new Signer()
    const { cache, calls } = countedCache(signer.clock)
    const files = signer.cached({ cache })
    for (const method of ['PUT', 'DELETE'] as const) {
      await files.signedUrl('a', { method, expiresIn: DAY })
      await files.signedUrl('a', { method, expiresIn: DAY })
      await expect(files.signedUrl('a', { method })).rejects.toMatchObject({ code: 'invalid-argument' })
    }
    await files.signedUrls(['a'], { method: 'PUT', contentType: 'image/png', expiresIn: DAY })
    expect(calls).toEqual([])
    expect(signer.keys).toHaveLength(7)
  })

  it('keeps nothing that lives no longer than the margin', async () => {
    const signer = new Signer()
    const { cache, calls } = countedCache(signer.clock)
    const files = signer.cached({ cache, marginSeconds: 60 })
    for (let n = 0; n < 2; n++) await files.signedUrl('a', { expiresIn: 60 })
    expect([signer.keys, calls]).toEqual([['a', 'a'], []])
    await files.signedUrl('a', { expiresIn: 61 })
    await files.signedUrl('a', { expiresIn: 61 })
    expect(signer.keys).toHaveLength(3)
  })

  it('keeps nothing that must be sent with headers, or that the store signs for a shorter time', async () => {
    const signer = new Signer()
    const change = async (key: string, options: object) => ({
      ...(await signer.store.signedUrl(key, options)),
      ...(key === 'headers' ? { headers: { 'x-needed': '1' } } : {}),
      ...(key === 'short' ? { expiresAt: new Date(signer.clock.ms + HOUR * 1000) } : {}),
    })
    const files = cacheSignedUrls(forward(signer.store, { signedUrl: change as never }), {
      cache: memoryCache({ now: signer.clock.now }),
      now: signer.clock.now,
    })
    for (const key of ['headers', 'short']) {
      const first = await files.signedUrl(key)
      expect((await files.signedUrl(key)).url).not.toBe(first.url)
    }
    expect((await files.signedUrl('headers')).headers).toEqual({ 'x-needed': '1' })
  })

  it('never gives one prefix the URL of another, in one cache', async () => {
    const signer = new Signer()
    const cache = memoryCache({ now: signer.clock.now })
    const of = (root: string) => signer.cached({ cache }) && prefix(signer.cached({ cache }), root)
    const around = (root: string) =>
      cacheSignedUrls(prefix(signer.store, root), { cache, now: signer.clock.now })
    const path = async (files: { signedUrl(key: string): Promise<{ url: string }> }) =>
      new URL((await files.signedUrl('a.txt')).url).pathname
    expect(await path(of('acme/'))).toBe('/files/acme/a.txt')
    expect(await path(of('other/'))).toBe('/files/other/a.txt')
    expect(await path(around('acme/'))).toBe('/files/acme/a.txt')
    expect(await path(around('other/'))).toBe('/files/other/a.txt')
    expect(await path(signer.cached({ cache }))).toBe('/files/a.txt')
    // The same object, whether the prefix stands inside or outside.
    expect(signer.keys).toEqual(['acme/a.txt', 'other/a.txt', 'a.txt'])
  })

  it('never gives one store the URL of another, in one cache', async () => {
    const cache = memoryCache()
    const at = (name: string) => cacheSignedUrls(s3({ ...bucket, bucket: name }), { cache })
    expect((await at('one').signedUrl('a')).url).toContain('one')
    expect((await at('two').signedUrl('a')).url).toContain('two')
  })

  it('asks the cache once and signs once for many, and keeps them in one go', async () => {
    const signer = new Signer()
    const { cache, calls } = countedCache(signer.clock)
    const files = signer.cached({ cache })
    const keys = Array.from({ length: 100 }, (_, n) => `photo-${n}`)
    const first = await files.signedUrls(keys)
    expect(first.map(result => result.key)).toEqual(keys)
    expect(signer.requests).toEqual([keys])
    // Generations are agreed on before the first signing of an object.
    expect(calls).toEqual(['getMany 200', 'setMany 100', 'setMany 200'])
    calls.length = 0
    expect(await files.signedUrls(keys)).toEqual(first)
    // Of what was seen before, only whether it holds.
    expect(calls).toEqual(['getMany 100'])
    calls.length = 0
    expect(await signer.cached({ cache }).signedUrls(keys)).toEqual(first)
    expect(calls).toEqual(['getMany 200'])
    calls.length = 0
    await files.signedUrls([...keys, 'another'])
    expect(signer.requests.at(-1)).toEqual(['another'])
    await files.signedUrls(keys, { expiresIn: DAY })
    expect(calls.slice(-2)).toEqual(['getMany 200', 'setMany 200'])
  })

  it('takes keys from any iterable, entries of a list too, in batches', async () => {
    const signer = new Signer()
    const { cache, calls } = countedCache(signer.clock)
    const files = signer.cached({ cache })
    for (const key of ['b', 'a']) await files.upload(key, 'x')
    const results = await files.signedUrls(files.list())
    expect(results.map(result => result.key)).toEqual(['a', 'b'])
    calls.length = 0
    const many = await files.signedUrls(
      (function* () {
        for (let n = 0; n < 2500; n++) yield `k${n}`
      })(),
    )
    expect(many.map(result => result.key)).toEqual(Array.from({ length: 2500 }, (_, n) => `k${n}`))
    expect(calls.filter(call => call.startsWith('getMany'))).toEqual([
      'getMany 2000',
      'getMany 2000',
      'getMany 1000',
    ])
  })

  it('keeps errors with their keys, and caches none', async () => {
    const signer = new Signer()
    let missing = true
    const store = forward(signer.store, {
      async signedUrls(keys, options) {
        const results = await signer.store.signedUrls(keys, options)
        if (!missing) return results
        return Promise.all(
          results.map(async result =>
            result.key === 'gone' ? { key: 'gone', ok: false, error: await notFound() } : result,
          ),
        )
      },
    })
    const notFound = () => signer.store.info('gone').catch(error => error)
    const files = cacheSignedUrls(store, { cache: memoryCache(), now: signer.clock.now })
    const ask = async () =>
      (await files.signedUrls(['a', 'gone', '../c', 'b'])).map(one => (one.ok ? 'ok' : one.error.code))
    expect(await ask()).toEqual(['ok', 'not-found', 'invalid-key', 'ok'])
    expect(signer.requests).toEqual([['a', 'gone', 'b']])
    missing = false
    expect(await ask()).toEqual(['ok', 'ok', 'invalid-key', 'ok'])
    expect(signer.requests.at(-1)).toEqual(['gone'])
  })

  it('takes garbage in the cache for nothing, and replaces it', async () => {
    const signer = new Signer()
    const kept = new Map<string, string>()
    const cache = {
      getMany: async (keys: readonly string[]) => keys.map(key => kept.get(key)),
      async setMany(entries: readonly { key: string; value: string }[]) {
        return entries.map(({ key, value }) => {
          if (!kept.has(key)) kept.set(key, value)
          return kept.get(key)!
        })
      },
      async deleteMany(keys: readonly string[]) {
        for (const key of keys) kept.delete(key)
      },
    }
    const files = signer.cached({ cache, localEntries: 0 })
    const { url } = await files.signedUrl('a')
    const [generation, entry] = [...kept.keys()].sort((a, b) => a.length - b.length) as [string, string]
    const [id, expiresAt] = kept.get(entry)!.split(' ') as [string, string]
    for (const garbage of [
      '',
      'garbage',
      id,
      `${id} `,
      `${id} soon ${url}`,
      `${id} ${expiresAt}`,
      `${id} ${expiresAt} `,
      `${id} ${expiresAt} javascript:alert(1)`,
      `${id} 99999999999999999 ${url}`,
      `${id} NaN ${url}`,
      `${id}x ${expiresAt} ${url}`,
      `{"url":"${url}"}`,
    ]) {
      kept.set(entry, garbage)
      const signed = signer.keys.length
      const again = await files.signedUrl('a')
      expect([again.url === url, signer.keys.length]).toEqual([false, signed + 1])
      expect((await files.signedUrl('a')).url).toBe(again.url)
      expect(signer.keys.length).toBe(signed + 1)
    }
    for (const garbage of ['', 'garbage', 'a b', 'é'.repeat(16)]) {
      kept.set(generation, garbage)
      kept.set(entry, `${garbage} ${expiresAt} ${url}`)
      const again = await files.signedUrl('a')
      expect(again.url).not.toBe(url)
      expect((await files.signedUrl('a')).url).toBe(again.url)
    }
  })

  it('gives each caller objects of its own', async () => {
    const signer = new Signer()
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    const [first, second] = await Promise.all([files.signedUrl('a'), files.signedUrl('a')])
    first.expiresAt.setTime(0)
    expect(second.expiresAt.getTime()).toBeGreaterThan(signer.clock.ms)
    const third = await files.signedUrl('a')
    third.expiresAt.setTime(0)
    expect((await files.signedUrl('a')).expiresAt).toEqual(second.expiresAt)
  })

  it('refuses what the provider refuses, from the cache too', async () => {
    const signer = new Signer()
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    await files.signedUrl('a')
    const bad = [
      { expiresIn: 0 },
      { expiresIn: 400 * DAY },
      { method: 'POST' },
      { download: '' },
      { download: 'line\nbreak' },
      { contentType: 'text/plain' },
      { expiresln: 5 },
      { timeoutMs: 0 },
      7,
    ]
    for (const options of bad as never[]) {
      await expect(files.signedUrl('a', options)).rejects.toMatchObject({ code: 'invalid-argument' })
      await expect(files.signedUrls(['a'], options)).rejects.toMatchObject({ code: 'invalid-argument' })
    }
    await expect(files.signedUrl('../a')).rejects.toMatchObject({ code: 'invalid-key' })
    await expect(files.signedUrl('a', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
    await files.close()
    await expect(files.signedUrl('a')).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(files.signedUrls(['a'])).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  it('forgets everything under another version', async () => {
    const signer = new Signer()
    const cache = memoryCache({ now: signer.clock.now })
    const { url } = await signer.cached({ cache }).signedUrl('a')
    expect((await signer.cached({ cache, version: '2' }).signedUrl('a')).url).not.toBe(url)
    expect((await signer.cached({ cache }).signedUrl('a')).url).toBe(url)
  })
})

describe('concurrent misses', () => {
  it('of one key sign once', async () => {
    const signer = new Signer()
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    const urls = await Promise.all(Array.from({ length: 50 }, async () => (await files.signedUrl('a')).url))
    expect(new Set(urls).size).toBe(1)
    expect(signer.keys).toEqual(['a'])
  })

  it('within a batch and across batches sign each key once', async () => {
    const signer = new Signer()
    const { opened, open } = gate()
    signer.gate = opened
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    const asked = [
      files.signedUrls(['a', 'b', 'a']),
      files.signedUrls(['b', 'c']),
      files.signedUrls(['a', 'd']),
      files.signedUrl('c').then(value => [{ key: 'c', ok: true as const, value }]),
    ]
    await settle()
    open()
    const results = (await Promise.all(asked)).flat()
    expect(signer.keys.sort()).toEqual(['a', 'b', 'c', 'd'])
    const urls = new Set(results.map(result => `${result.key} ${result.ok && result.value.url}`))
    expect(urls.size).toBe(4)
  })

  it('are not failed by one caller that is aborted, and end when all are', async () => {
    const signer = new Signer()
    let { opened, open } = gate()
    let given: AbortSignal | undefined
    const store = forward(signer.store, {
      async signedUrl(key, options) {
        given = options?.signal
        await opened
        return signer.store.signedUrl(key, options)
      },
    })
    const files = cacheSignedUrls(store, { cache: memoryCache(), now: signer.clock.now })
    const [first, second] = [new AbortController(), new AbortController()]
    const one = files.signedUrl('a', { signal: first.signal })
    const two = files.signedUrl('a', { signal: second.signal })
    await settle()
    first.abort()
    await expect(one).rejects.toMatchObject({ code: 'aborted', operation: 'signedUrl' })
    expect(given?.aborted).toBe(false)
    const three = files.signedUrl('a')
    open()
    expect((await two).url).toBe((await three).url)
    expect(signer.keys).toEqual(['a'])

    const closed = gate()
    opened = closed.opened
    const alone = new AbortController()
    const ended = files.signedUrl('b', { signal: alone.signal })
    await settle()
    alone.abort()
    await expect(ended).rejects.toMatchObject({ code: 'aborted' })
    expect(given?.aborted).toBe(true)
    closed.open()
    expect(await files.signedUrl('b')).toMatchObject({ method: 'GET' })
  })

  it('heed each caller’s own deadline', async () => {
    const signer = new Signer()
    const { opened, open } = gate()
    signer.gate = opened
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    const patient = files.signedUrl('a')
    await expect(files.signedUrl('a', { timeoutMs: 5 })).rejects.toMatchObject({ code: 'timeout' })
    await expect(files.signedUrls(['a'], { timeoutMs: 5 })).rejects.toMatchObject({ code: 'timeout' })
    open()
    expect((await patient).url).toContain('a')
  })

  it('wait no longer than half a minute for a signing that hangs', async () => {
    const signer = new Signer()
    let at = 0
    signer.gate = new Promise(() => {})
    const files = signer.cached({ cache: memoryCache({ now: signer.clock.now }), monotonic: () => at })
    void files.signedUrl('a')
    await settle()
    signer.gate = undefined
    at = 30_000
    expect(await files.signedUrl('a')).toMatchObject({ method: 'GET' })
    expect(signer.keys).toEqual(['a', 'a'])
  })

  it('share a failure, which is asked for again afterwards', async () => {
    const signer = new Signer()
    const failures = [new Error('one'), undefined]
    const store = forward(signer.store, {
      async signedUrl(key, options) {
        const result = await signer.store.signedUrl(key, options)
        const failure = failures.shift()
        if (failure !== undefined) throw (await signer.store.info('missing').catch(error => error)) as Error
        return result
      },
    })
    const files = cacheSignedUrls(store, { cache: memoryCache(), now: signer.clock.now })
    const both = await Promise.allSettled([files.signedUrl('a'), files.signedUrl('a')])
    expect(both.map(result => result.status)).toEqual(['rejected', 'rejected'])
    expect(await files.signedUrl('a')).toMatchObject({ method: 'GET' })
    expect(signer.keys).toEqual(['a', 'a'])
  })
})

describe('a wrong place', () => {
  const cache = memoryCache()

  it('around records is refused with the right one', () => {
    const files = withRecords(memory({ signing }), sqlite({ path: ':memory:' }), { env: {}, tenant: 'a' })
    expect(() => cacheSignedUrls(files, { cache })).toThrow(refused(/goes inside withRecords/))
    expect(() => cacheSignedUrls(prefix(files, 'a'), { cache })).toThrow(refused(/goes inside withRecords/))
  })

  it('around another cache, without URLs or without a location is refused', () => {
    const files = cacheSignedUrls(memory({ signing }), { cache })
    expect(() => cacheSignedUrls(retry(files), { cache })).toThrow(refused(/a cache below already/))
    expect(() => cacheSignedUrls(memory(), { cache })).toThrow(refused(/signs no URLs/))
    const nowhere = forward(memory({ signing }), { location: undefined as never })
    expect(() => cacheSignedUrls(nowhere, { cache })).toThrow(refused(/has no location/))
  })

  it.each<[object, RegExp]>([
    [{}, /needs a cache/],
    [{ cache: {} }, /needs a cache/],
    [{ cache, expiresIn: 0 }, /expiresIn must be whole seconds from 1 to 31536000/],
    [{ cache, expiresIn: 1.5 }, /expiresIn must be whole seconds/],
    [{ cache, expiresIn: HOUR }, /must be longer than marginSeconds/],
    [{ cache, marginSeconds: -1 }, /marginSeconds must be a number of at least 0/],
    [{ cache, version: 'a{b' }, /version may hold letters/],
    [{ cache, localEntries: -1 }, /localEntries must be a whole number of at least 0/],
    [{ cache, cacheTimeoutMs: 0 }, /cacheTimeoutMs must be milliseconds above 0/],
    [{ cache, coolDownMs: Number.NaN }, /coolDownMs must be milliseconds above 0/],
    [{ cache, margin: 5 }, /unknown option 'margin'; known are cache, expiresIn/],
  ])('refuses the options %o', (options, message) => {
    expect(() => cacheSignedUrls(memory({ signing }), options as never)).toThrow(refused(message))
  })
})
