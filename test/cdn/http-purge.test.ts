import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HttpPurgeOptions, httpPurge } from '../../src/cdn/index.ts'
import { HOST, purgeCacheStandIn, TOKEN, textRefusal } from '../support/cdn/purge-cache-stand-in.ts'
import { describeVendor, errorOf } from '../support/cdn/vendor-cases.ts'
import { standingClock, target, type VendorStandIn } from '../support/cdn/vendor-stand-in.ts'

describeVendor({
  name: 'httpPurge',
  token: TOKEN,
  start: () => purgeCacheStandIn(),
  create: (server, options, token = TOKEN) =>
    httpPurge({
      baseUrl: `https://${HOST}`,
      servers: [server],
      headers: { 'x-purge-token': token },
      ...options,
    }),
  refusal: textRefusal,
  purgeOf: path => `${HOST} ${path}`,
})

describe('httpPurge', () => {
  let caches: VendorStandIn[]
  beforeEach(async () => {
    caches = [await purgeCacheStandIn(), await purgeCacheStandIn()]
  })
  afterEach(() => Promise.all(caches.map(cache => cache.close())))

  const create = (more: Partial<HttpPurgeOptions> = {}) => {
    const { now, sleep } = standingClock()
    const servers = caches.map(cache => cache.origin)
    const headers = { 'x-purge-token': TOKEN }
    return httpPurge({ baseUrl: `https://${HOST}`, servers, headers, now, sleep, random: () => 0, ...more })
  }

  test('tells every cache, with the host that the files are served under', async () => {
    expect(await create().invalidate([target('a')])).toEqual([{ ok: true }])
    expect(caches.map(cache => cache.purged)).toEqual([[`${HOST} /a`], [`${HOST} /a`]])
  })

  test('is not ok when one of the caches did not say so', async () => {
    caches[1]!.faults.push(textRefusal(503))
    const error = errorOf(await create({ attempts: 1 }).invalidate([target('a')]))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(caches[0]!.purged).toHaveLength(1)
  })

  test('sends to the public address where no caches are named', async () => {
    const [cache] = caches
    const cdn = create({ baseUrl: cache!.origin, servers: undefined })
    expect(await cdn.invalidate([target('a')])).toEqual([{ ok: true }])
    expect(cache!.purged).toEqual([`${new URL(cache!.origin).host} /a`])
  })

  test('takes 404 and 412 for "nothing was cached"', async () => {
    const results = await create().invalidate([target('uncached-404'), target('uncached-412')])
    expect(results).toEqual([{ ok: true }, { ok: true }])
  })

  test('says of 405 that purging is not allowed from here or not set up', async () => {
    const error = errorOf(await create({ method: 'DELETE' }).invalidate([target('a')]))
    expect(error).toMatchObject({ code: 'permission-denied', retryable: false, status: 405 })
    expect(error.message).toContain('is DELETE set up?')
  })

  test('puts tags into the header that the cache has for them', async () => {
    const cdn = create({ tagHeader: 'xkey-purge', keyPath: false })
    expect(await cdn.invalidate([target('a', { tags: ['t1', 't2'] })])).toEqual([{ ok: true }])
    expect(caches[0]!.purged).toEqual(['tag t1', 'tag t2'])
  })

  test('takes a 404 to a purge by tag for a failure: the cache has no such purge', async () => {
    caches[0]!.faults.push(textRefusal(404))
    const cdn = create({ tagHeader: 'xkey-purge', keyPath: false })
    expect(errorOf(await cdn.invalidate([target('a', { tags: ['t1'] })]))).toMatchObject({
      code: 'not-found',
    })
  })

  test('purges prefixes only where the cache is said to have wildcards', async () => {
    const prefix = [target('a', { prefixes: ['/img/a'] })]
    expect(errorOf(await create().invalidate(prefix))).toMatchObject({
      code: 'unsupported',
      retryable: false,
    })
    expect(await create({ wildcards: true, keyPath: false }).invalidate(prefix)).toEqual([{ ok: true }])
    expect(caches[0]!.purged).toEqual([`${HOST} /a`, `${HOST} /img/a*`])
  })

  test('keeps to a rate where one is given', async () => {
    const clock = standingClock()
    const { now, sleep } = clock
    const cdn = create({ rate: { burst: 2, perSecond: 4 }, now, sleep })
    await cdn.invalidate([target('a'), target('b'), target('c')])
    expect(clock.waits).toEqual([250])
  })

  test.each([
    ['a header that breaks the line', { headers: { a: 'b\r\nc: d' } }],
    ['a Host header', { headers: { Host: 'x' } }],
    ['a server with a path', { servers: ['http://10.0.0.5/x'] }],
    ['no server', { servers: [] }],
    ['a rate of nothing', { rate: { burst: 1, perSecond: 0 } }],
    ['a method that is none', { method: 'purge it' }],
    ['a header for tags that is none', { tagHeader: 'a b' }],
  ])('refuses %s', (_, options) => {
    expect(() => create(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })
})
