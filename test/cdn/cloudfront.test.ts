import { inspect } from 'node:util'
import { CloudFrontClient } from '@aws-sdk/client-cloudfront'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type CloudfrontOptions,
  cloudfront,
  type InvalidationTarget,
  type Invalidator,
} from '../../src/cdn/index.ts'
import {
  ACCESS_KEY,
  type CloudfrontStandIn,
  cloudfrontStandIn,
  DISTRIBUTION,
  SECRET,
  xmlRefusal,
} from '../support/cdn/cloudfront-stand-in.ts'
import { describeVendor, errorOf } from '../support/cdn/vendor-cases.ts'
import { standingClock, target } from '../support/cdn/vendor-stand-in.ts'

describeVendor({
  name: 'cloudfront',
  token: ACCESS_KEY,
  tokenIsSecret: false,
  start: cloudfrontStandIn,
  create: (endpoint, options, accessKeyId = ACCESS_KEY) =>
    cloudfront({
      distributionId: DISTRIBUTION,
      endpoint,
      credentials: { accessKeyId, secretAccessKey: SECRET },
      ...options,
    }),
  refusal: xmlRefusal,
  purgeOf: path => path,
})

describe('cloudfront', () => {
  let standIn: CloudfrontStandIn
  let made: Invalidator[] = []
  beforeEach(async () => {
    standIn = await cloudfrontStandIn()
  })
  afterEach(async () => {
    await Promise.all(made.map(one => one.close()))
    made = []
    await standIn.close()
  })

  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET }
  const create = (more: Partial<CloudfrontOptions> = {}) => {
    const { now, sleep } = standingClock()
    const reach = more.client === undefined ? { endpoint: standIn.origin, credentials } : {}
    const one = cloudfront({ distributionId: DISTRIBUTION, now, sleep, keyPath: false, ...reach, ...more })
    made.push(one)
    return one
  }
  const referenced = (path: string, reference: string): InvalidationTarget =>
    target('a', { paths: [path], reference })

  test('is the same invalidation when it is told again under the same reference', async () => {
    const targets = [referenced('/a', 'job-1'), referenced('/b', 'job-2')]
    expect(await create().invalidate(targets)).toEqual([{ ok: true }, { ok: true }])
    expect(await create().invalidate(targets)).toEqual([{ ok: true }, { ok: true }])
    expect(standIn.requests).toHaveLength(2)
    expect(standIn.purged).toEqual(['/a', '/b'])
  })

  test('is the same invalidation in another order', async () => {
    const targets = [referenced('/a', 'job-1'), referenced('/b', 'job-2')]
    const cdn = create()
    await cdn.invalidate(targets)
    expect(await cdn.invalidate(targets.toReversed())).toEqual([{ ok: true }, { ok: true }])
    expect(standIn.purged).toEqual(['/a', '/b'])
  })

  test('loses no answer: what was done before the connection broke is done once', async () => {
    standIn.faults.push('cut after the effect')
    expect(await create().invalidate([referenced('/a', 'job-1')])).toEqual([{ ok: true }])
    expect(standIn.requests).toHaveLength(2)
    expect(standIn.purged).toEqual(['/a'])
  })

  test('is another invalidation under another reference: after the settling time, or for a second object', async () => {
    const cdn = create()
    await cdn.invalidate([referenced('/a', 'job-1')])
    await cdn.invalidate([referenced('/a', 'job-1 again')])
    expect(standIn.purged).toEqual(['/a', '/a'])
  })

  test('is another invalidation in each call without a reference', async () => {
    const cdn = create()
    await cdn.invalidate([target('a', { paths: ['/a'] })])
    await cdn.invalidate([target('a', { paths: ['/a'] })])
    expect(standIn.purged).toEqual(['/a', '/a'])
  })

  test('purges tags with their # and wildcards with their *, each kind in a request of its own', async () => {
    const all = target('a', { paths: ['/a?b=1&c=2'], prefixes: ['/img/a'], tags: ['photo-1'] })
    expect(await create().invalidate([all])).toEqual([{ ok: true }])
    expect(standIn.purged.sort()).toEqual(['#photo-1', '/a?b=1&c=2', '/img/a*'])
  })

  test('sends 15 wildcards in one request, a literal star at the end among them', async () => {
    const prefixes = Array.from({ length: 15 }, (_, at) => `/p/${at}/`)
    const cdn = create({ attempts: 1 })
    const [result] = await cdn.invalidate([target('a', { paths: ['/a*', '/b'], prefixes })])
    expect(standIn.requests.map(({ body }) => body.match(/<Path>/g)!.length).sort()).toEqual([1, 1, 15])
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'rate-limited', retryable: true, retryAfterMs: 30_000, requestId: 'r-1' },
    })
  })

  test('comes again when what is in progress has completed', async () => {
    const still = standingClock()
    const cdn = create({ now: still.now, sleep: still.sleep, perRequest: 3_000 })
    const full = Array.from({ length: 3_000 }, (_, at) => `/f/${at}`)
    expect(await cdn.invalidate([target('a', { paths: full })])).toEqual([{ ok: true }])
    const next = [referenced('/b', 'job-2')]
    expect(errorOf(await cdn.invalidate(next))).toMatchObject({ code: 'rate-limited', retryAfterMs: 30_000 })
    standIn.complete()
    still.pass(30_000)
    expect(await cdn.invalidate(next)).toEqual([{ ok: true }])
    expect(still.waits).toEqual([])
  })

  test('finds the path that a batch was refused for, and purges its neighbours', async () => {
    standIn.faults.push(xmlRefusal(400), xmlRefusal(400))
    const results = await create().invalidate(['/a', '/b'].map(path => target('a', { paths: [path] })))
    expect(results.map(one => one.ok)).toEqual([false, true])
    expect(results[0]).toMatchObject({ error: { code: 'invalid-argument', retryable: false } })
  })

  test('keeps what AWS says of a signature to itself: it repeats the signed request', async () => {
    standIn.faults.push(xmlRefusal(403, {}, 'x-amz-security-token:SESSION-SECRET', 'SignatureDoesNotMatch'))
    const error = errorOf(await create().invalidate([referenced('/a', 'job-1')]))
    expect(error).toMatchObject({ code: 'unauthenticated', retryable: false })
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('SESSION-SECRET')
  })

  test('says not-found of a distribution that does not exist', async () => {
    const error = errorOf(
      await create({ distributionId: 'EOTHER' }).invalidate([target('a', { paths: ['/a'] })]),
    )
    expect(error).toMatchObject({ code: 'not-found', retryable: false, status: 404 })
    expect(error.message).toContain('distributionId')
  })

  test.each([
    ['a path of 4,000 characters', { paths: [`/${'a'.repeat(3_999)}`] }],
    ['a tag of more than 256 characters', { tags: ['a'.repeat(257)] }],
    ['a tag with a comma', { tags: ['a,b'] }],
  ])('refuses %s without a request', async (_, parts) => {
    const error = errorOf(await create().invalidate([target('a', parts)]))
    expect(error).toMatchObject({ code: 'invalid-argument', retryable: false })
    expect(standIn.requests).toEqual([])
  })

  test("uses the caller's client, and leaves it open", async () => {
    const client = new CloudFrontClient({ region: 'us-east-1', endpoint: standIn.origin, credentials })
    try {
      const cdn = create({ client })
      expect(await cdn.invalidate([referenced('/a', 'job-1')])).toEqual([{ ok: true }])
      await cdn.close()
      expect(await create({ client }).invalidate([referenced('/b', 'job-2')])).toEqual([{ ok: true }])
    } finally {
      client.destroy()
    }
  })

  test('refuses a client beside what it has itself, and batches that CloudFront does not take', () => {
    const client = { send: async () => ({}) }
    expect(() => create({ client, credentials })).toThrow(/give one of the two/)
    expect(() => create({ perRequest: 3_001 })).toThrow(/perRequest/)
  })
})
