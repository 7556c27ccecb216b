import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BunnyOptions, bunny } from '../../src/cdn/index.ts'
import { BASE, bunnyRefusal, bunnyStandIn, KEY, PULL_ZONE } from '../support/cdn/bunny-stand-in.ts'
import { describeVendor, errorOf } from '../support/cdn/vendor-cases.ts'
import { standingClock, target, type VendorStandIn } from '../support/cdn/vendor-stand-in.ts'

describeVendor({
  name: 'bunny',
  token: KEY,
  start: bunnyStandIn,
  create: (apiUrl, options, accessKey = KEY) => bunny({ accessKey, baseUrl: BASE, apiUrl, ...options }),
  refusal: bunnyRefusal,
  purgeOf: path => `url ${path}`,
})

describe('bunny', () => {
  let standIn: VendorStandIn
  beforeEach(async () => {
    standIn = await bunnyStandIn()
  })
  afterEach(() => standIn.close())

  const create = (more: Partial<BunnyOptions> = {}, clock = standingClock()) => {
    const { now, sleep } = clock
    const given = { accessKey: KEY, baseUrl: BASE, apiUrl: standIn.origin, pullZoneId: PULL_ZONE }
    return bunny({ ...given, now, sleep, keyPath: false, ...more })
  }

  test('purges a URL, a prefix and a tag, each in a request of its own', async () => {
    const all = target('a', { paths: ['/a?w=4'], prefixes: ['/img/a'], tags: ['photo-1'] })
    expect(await create().invalidate([all])).toEqual([{ ok: true }])
    expect(standIn.purged.sort()).toEqual(['tag photo-1', 'url /a?w=4', 'wildcard /img/a*'])
  })

  test('purges a path that ends with a slash alone, not what is below it', async () => {
    await create().invalidate([target('a', { paths: ['/a/'] })])
    expect(standIn.purged).toEqual(['url /a/'])
  })

  test('purges a path with a star as the prefix as which bunny reads it', async () => {
    await create().invalidate([target('a', { paths: ['/a*b.jpg'] })])
    expect(standIn.purged).toEqual(['wildcard /a*'])
  })

  test.each([
    ['URLs: 120, then five a second', 'paths', 121, 200],
    ['prefixes: 20, then one every two seconds', 'prefixes', 21, 2_000],
  ] as const)('keeps the rate of %s', async (_, field, count, ms) => {
    const clock = standingClock()
    const list = Array.from({ length: count }, (_, at) => `/f/${at}`)
    expect(await create({}, clock).invalidate([target('a', { [field]: list })])).toEqual([{ ok: true }])
    expect(clock.waits).toEqual([ms])
  })

  test('gives back as rate-limited what the rate leaves no room for, and sends the rest', async () => {
    const paths = Array.from({ length: 125 }, (_, at) => `/f/${at}`)
    const results = await create({ maxWaitMs: 100 }).invalidate(
      paths.map(path => target('a', { paths: [path] })),
    )
    expect(results.filter(one => one.ok)).toHaveLength(120)
    expect(results[124]).toMatchObject({
      ok: false,
      error: { code: 'rate-limited', retryable: true, retryAfterMs: 200 },
    })
    expect(standIn.requests).toHaveLength(120)
  })

  test('blames the target whose URL is refused, and no other', async () => {
    standIn.faults.push(bunnyRefusal(400, {}, 'The url is of no pull zone'))
    const results = await create().invalidate([
      target('a', { paths: ['/a'] }),
      target('b', { paths: ['/b'] }),
    ])
    expect(results.filter(one => one.ok)).toHaveLength(1)
    expect(results.find(one => !one.ok)).toMatchObject({
      error: { code: 'invalid-argument', retryable: false },
    })
  })

  test('never purges a whole zone: a tag that is no tag is refused before', async () => {
    for (const tag of ['', 'a,b', 'a\r\nb', 'ü']) {
      const error = errorOf(await create().invalidate([target('a', { tags: [tag] })]))
      expect(error).toMatchObject({ code: 'invalid-argument', retryable: false })
    }
    expect(standIn.requests).toEqual([])
  })

  test('purges URLs alone without a pull zone', async () => {
    const cdn = create({ pullZoneId: undefined })
    expect(await cdn.invalidate([target('a', { paths: ['/a'], tags: ['t'] })])).toEqual([{ ok: true }])
    expect(standIn.purged).toEqual(['url /a'])
  })

  test('refuses a pull zone that is no number of one', () => {
    expect(() => create({ pullZoneId: 0.5 })).toThrow(/pullZoneId/)
  })
})
