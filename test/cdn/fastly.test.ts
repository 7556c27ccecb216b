import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FastlyOptions, fastly } from '../../src/cdn/index.ts'
import { fastlyRefusal, fastlyStandIn, HOST, SERVICE, TOKEN } from '../support/cdn/fastly-stand-in.ts'
import { describeVendor, errorOf } from '../support/cdn/vendor-cases.ts'
import { standingClock, target, type VendorStandIn } from '../support/cdn/vendor-stand-in.ts'

describeVendor({
  name: 'fastly',
  token: TOKEN,
  start: () => fastlyStandIn(),
  create: (apiUrl, options, apiToken = TOKEN) =>
    fastly({ serviceId: SERVICE, apiToken, baseUrl: `https://${HOST}`, apiUrl, ...options }),
  refusal: fastlyRefusal,
  purgeOf: path => `url ${path}`,
})

describe('fastly', () => {
  let standIn: VendorStandIn
  const clock = standingClock()
  const forgets = new Set<string>()
  beforeEach(async () => {
    forgets.clear()
    standIn = await fastlyStandIn(forgets)
  })
  afterEach(() => standIn.close())

  const create = (more: Partial<FastlyOptions> = {}) => {
    const { now, sleep } = clock
    const given = { serviceId: SERVICE, apiToken: TOKEN, baseUrl: `https://${HOST}`, apiUrl: standIn.origin }
    return fastly({ ...given, now, sleep, keyPath: false, ...more })
  }

  test('purges 600 surrogate keys in three requests of at most 256', async () => {
    const targets = Array.from({ length: 600 }, (_, at) => target('a', { tags: [`photo-${at}`] }))
    const results = await create().invalidate(targets)
    expect(results.every(one => one.ok)).toBe(true)
    expect(standIn.requests.map(({ body }) => JSON.parse(body).surrogate_keys.length)).toEqual([256, 256, 88])
  })

  test('tells a key again that the answer left out, and only that', async () => {
    forgets.add('b')
    const results = await create().invalidate(['a', 'b', 'c'].map(tag => target(tag, { tags: [tag] })))
    expect(results).toEqual([{ ok: true }, { ok: true }, { ok: true }])
    expect(standIn.purged).toEqual(['key a', 'key c', 'key b'])
  })

  test('blames the target of a key that is never confirmed, and no other', async () => {
    forgets.add('b')
    const cdn = create({ attempts: 1 })
    const results = await cdn.invalidate(['a', 'b', 'c'].map(tag => target(tag, { tags: [tag] })))
    expect(results.map(one => one.ok)).toEqual([true, false, true])
    expect(results[1]).toMatchObject({ error: { code: 'unavailable', retryable: true } })
  })

  test('takes 200 without ok for a failure', async () => {
    standIn.faults.push({ status: 200, body: '{"status":"failed","id":"1"}' })
    const error = errorOf(await create({ attempts: 1 }).invalidate([target('a', { paths: ['/a'] })]))
    expect(error).toMatchObject({ code: 'internal', retryable: true })
  })

  test('waits for the end of the window that Fastly names instead of a Retry-After', async () => {
    const still = standingClock()
    const reset = String(still.now() / 1000 + 9)
    const headers = { 'fastly-ratelimit-remaining': '0', 'fastly-ratelimit-reset': reset }
    standIn.faults.push(fastlyRefusal(429, headers))
    const cdn = create({ now: still.now, sleep: still.sleep, random: () => 0 })
    expect(await cdn.invalidate([target('a', { paths: ['/a'] })])).toEqual([{ ok: true }])
    expect(still.waits).toEqual([9_000])
  })

  test('removes unless soft is asked for', async () => {
    const both = target('a', { paths: ['/a'], tags: ['t'] })
    await create({ soft: true }).invalidate([both])
    await create().invalidate([both])
    expect(standIn.purged).toEqual(['soft url /a', 'soft key t', 'url /a', 'key t'])
  })

  test('purges URLs alone without a service, and says unsupported where there is none', async () => {
    const cdn = create({ serviceId: undefined })
    const results = await cdn.invalidate([
      target('a', { paths: ['/a'], tags: ['t'] }),
      target('b', { tags: ['t'] }),
    ])
    expect(results).toMatchObject([
      { ok: true },
      { ok: false, error: { code: 'unsupported', retryable: false } },
    ])
    expect(standIn.purged).toEqual(['url /a'])
  })

  test('says unsupported of a prefix, and purges the rest of the target', async () => {
    const error = errorOf(await create().invalidate([target('a', { paths: ['/a'], prefixes: ['/a/'] })]))
    expect(error).toMatchObject({ code: 'unsupported', retryable: false })
    expect(standIn.purged).toEqual(['url /a'])
  })

  test.each([
    ['with a space', 'a b'],
    ['longer than 1,024 bytes', 'a'.repeat(1025)],
  ])('refuses a surrogate key %s', async (_, tag) => {
    const error = errorOf(await create().invalidate([target('a', { tags: [tag] })]))
    expect(error).toMatchObject({ code: 'invalid-argument', retryable: false })
    expect(standIn.requests).toEqual([])
  })

  test('lets a service answer not-found without trying again', async () => {
    const error = errorOf(await create({ serviceId: 'other' }).invalidate([target('a', { tags: ['t'] })]))
    expect(error).toMatchObject({ code: 'not-found', retryable: false })
    expect(standIn.requests).toHaveLength(1)
  })
})
