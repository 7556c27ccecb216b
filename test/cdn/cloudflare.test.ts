import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CloudflareOptions, cloudflare } from '../../src/cdn/index.ts'
import {
  BASE,
  cloudflareRefusal,
  cloudflareStandIn,
  TOKEN,
  ZONE,
} from '../support/cdn/cloudflare-stand-in.ts'
import { describeVendor, errorOf } from '../support/cdn/vendor-cases.ts'
import { standingClock, target, type VendorStandIn } from '../support/cdn/vendor-stand-in.ts'

describeVendor({
  name: 'cloudflare',
  token: TOKEN,
  start: () => cloudflareStandIn(),
  create: (apiUrl, options, apiToken = TOKEN) =>
    cloudflare({ zoneId: ZONE, apiToken, baseUrl: BASE, apiUrl, ...options }),
  refusal: cloudflareRefusal,
  purgeOf: path => `files ${BASE}${path}`,
})

describe('cloudflare', () => {
  let standIn: VendorStandIn
  const clock = standingClock()
  beforeEach(async () => {
    standIn = await cloudflareStandIn()
  })
  afterEach(() => standIn.close())

  const create = (more: Partial<CloudflareOptions> = {}, zoneId = ZONE) => {
    const { now, sleep } = clock
    return cloudflare({ zoneId, apiToken: TOKEN, baseUrl: BASE, apiUrl: standIn.origin, now, sleep, ...more })
  }
  const many = (count: number) => Array.from({ length: count }, (_, at) => target(`f/${at}`))

  test('purges tags and prefixes beside the URLs, each kind in a request of its own', async () => {
    const results = await create().invalidate([target('a', { tags: ['photo-1'], prefixes: ['/img/a'] })])
    expect(results).toEqual([{ ok: true }])
    expect(standIn.purged.sort()).toEqual(
      [`files ${BASE}/a`, 'prefixes files.example.org/img/a', 'tags photo-1'].sort(),
    )
    expect(standIn.requests).toHaveLength(3)
  })

  test('cuts into batches that are not refused', async () => {
    const results = await create().invalidate(many(250))
    expect(results.every(one => one.ok)).toBe(true)
    expect(standIn.requests.map(({ body }) => JSON.parse(body).files.length)).toEqual([100, 100, 50])
  })

  test('halves a batch that a plan refuses as too large', async () => {
    await standIn.close()
    standIn = await cloudflareStandIn({ max: 30 })
    const results = await create().invalidate(many(100))
    expect(results.every(one => one.ok)).toBe(true)
    expect(standIn.purged).toHaveLength(100)
  })

  test('finds the URL that a batch was refused for, and purges its neighbours', async () => {
    const targets = many(20)
    targets[13] = target('elsewhere/x')
    const results = await create().invalidate(targets)
    expect(results.filter(one => one.ok)).toHaveLength(19)
    expect(results[13]).toMatchObject({ ok: false, error: { code: 'invalid-argument', retryable: false } })
    expect(standIn.purged).toHaveLength(19)
  })

  test('takes 200 with success: false for a failure that may pass', async () => {
    standIn.faults.push(...Array.from({ length: 3 }, () => cloudflareRefusal(200, {}, 'something broke', 1)))
    const error = errorOf(await create().invalidate([target('a')]))
    expect(error).toMatchObject({ code: 'internal', retryable: true, status: 200, requestId: '8f1-FRA' })
    expect(error.message).toContain('something broke (1)')
    expect(await create().invalidate([target('a')])).toEqual([{ ok: true }])
  })

  test('takes 200 with an authentication error inside for one', async () => {
    standIn.faults.push(cloudflareRefusal(200, {}, 'Authentication error', 10000))
    const error = errorOf(await create().invalidate([target('a')]))
    expect(error).toMatchObject({ code: 'unauthenticated', retryable: false })
  })

  test('takes 200 that is no JSON for a failure: a proxy stands between', async () => {
    standIn.faults.push({ status: 200, body: '<html>maintenance</html>' })
    const error = errorOf(await create({ attempts: 1 }).invalidate([target('a')]))
    expect(error).toMatchObject({ code: 'internal', retryable: true })
  })

  test('says not-found of a zone that does not exist, in one request', async () => {
    const results = await create({}, 'f'.repeat(32)).invalidate(many(8))
    expect(results[7]).toMatchObject({ ok: false, error: { code: 'not-found', retryable: false } })
    expect(standIn.requests).toHaveLength(1)
  })

  test('keeps the rate of the free plan: 25 requests by tag, then one every 12 seconds', async () => {
    const still = standingClock()
    const cdn = create({
      now: still.now,
      sleep: still.sleep,
      perRequest: 1,
      keyPath: false,
      maxWaitMs: 15_000,
    })
    const tags = Array.from({ length: 26 }, (_, at) => `t${at}`)
    expect(await cdn.invalidate([target('a', { tags })])).toEqual([{ ok: true }])
    expect(still.waits).toEqual([12_000])
  })

  test('keeps the rate of the free plan: 800 URLs, then 800 a second', async () => {
    const still = standingClock()
    const results = await create({ now: still.now, sleep: still.sleep }).invalidate(many(900))
    expect(results.every(one => one.ok)).toBe(true)
    expect(still.waits).toEqual([125])
  })

  test.each([
    ['with a query', '/a?b=1'],
    ['with more than 31 slashes', '/a'.repeat(32)],
  ])('refuses a prefix %s without a request, and purges the rest of the target', async (_, prefix) => {
    const error = errorOf(await create().invalidate([target('a', { prefixes: [prefix] })]))
    expect(error).toMatchObject({ code: 'invalid-argument', retryable: false })
    expect(standIn.purged).toEqual([`files ${BASE}/a`])
  })

  test.each([
    ['ftp://files.example.org'],
    ['files.example.org'],
    ['https://files.example.org/?a=1'],
    ['https://files.example.org/folder'],
    ['https://user:word@files.example.org'],
  ])('refuses the base URL %s', baseUrl => {
    expect(() => create({ baseUrl })).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  test('refuses wrong options, without the value of the token', () => {
    expect(() => create({ plan: 'gold' as never })).toThrow(/plan must be one of free/)
    expect(() => create({ perRequest: 0 })).toThrow(/perRequest/)
    expect(() => create({ keyPath: true as never })).toThrow(/keyPath/)
    expect(() => create({ apiToken: 'a b SECRET' })).toThrow(/^(?!.*SECRET).*apiToken/)
    expect(() => create({ zone: 'x' } as never)).toThrow(/unknown option 'zone'/)
  })
})
