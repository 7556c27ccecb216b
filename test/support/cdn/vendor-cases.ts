/** What every invalidator of a CDN owes, whoever the vendor is. A vendor's test runs it and adds what is its own. */
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageError } from '../../../src/core/errors.ts'
import type { InvalidationResult, Invalidator } from '../../../src/core/invalidator.ts'
import {
  type StandingClock,
  standingClock,
  target,
  type VendorAnswer,
  type VendorStandIn,
  vendorStandIn,
} from './vendor-stand-in.ts'

export interface CaseOptions {
  attempts?: number
  requestTimeoutMs?: number
  maxWaitMs?: number
  now?: () => number
  sleep?: (ms: number) => Promise<void>
  random?: () => number
  keyPath?: false
}

export interface VendorCases {
  readonly name: string
  start(): Promise<VendorStandIn>
  /** An invalidator of the stand-in, with the token given or the right one. */
  create(origin: string, options: CaseOptions, token?: string): Invalidator
  /** The vendor's way to refuse with this status. */
  refusal(status: number, headers?: Record<string, string>, message?: string): VendorAnswer
  /** How the stand-in notes the purge of a path. */
  purgeOf(path: string): string
  /** Whose requests are taken: what `create` sends. */
  readonly token: string
  /** False where that is no secret: an access key's id, whose secret is never sent. */
  readonly tokenIsSecret?: false
}

export function describeVendor(cases: VendorCases): void {
  describe(`${cases.name}, as every invalidator`, () => {
    let standIn: VendorStandIn
    let clock: StandingClock
    let made: Invalidator[] = []

    beforeEach(async () => {
      standIn = await cases.start()
      clock = standingClock()
    })
    afterEach(async () => {
      await Promise.all(made.map(one => one.close()))
      made = []
      await standIn.close()
    })

    const create = (options: CaseOptions = {}, token?: string) => {
      const { now, sleep } = clock
      const one = cases.create(standIn.origin, { now, sleep, random: () => 0, ...options }, token)
      made.push(one)
      return one
    }
    const purged = (...paths: string[]) => paths.map(cases.purgeOf)

    test('purges the key and the paths that were handed out', async () => {
      const results = await create().invalidate([target('a/b.jpg', { paths: ['/x/b.jpg?w=4'] }), target('c')])
      expect(results).toEqual([{ ok: true }, { ok: true }])
      expect(standIn.purged.sort()).toEqual(purged('/a/b.jpg', '/c', '/x/b.jpg?w=4').sort())
    })

    test('purges a path that several targets have once', async () => {
      await create().invalidate([target('a'), target('a'), target('a', { paths: ['/a'] })])
      expect(standIn.purged).toEqual(purged('/a'))
    })

    test('purges a key in both spellings that clients send', async () => {
      await create().invalidate([target('a+b/ü.jpg')])
      expect(standIn.purged.sort()).toEqual(purged('/a%2Bb/%C3%BC.jpg', '/a+b/%C3%BC.jpg').sort())
    })

    test('sends nothing for no targets, and nothing for a target with nothing to purge', async () => {
      expect(await create().invalidate([])).toEqual([])
      expect(await create({ keyPath: false }).invalidate([target('a')])).toEqual([{ ok: true }])
      expect(standIn.requests).toEqual([])
    })

    test.each([
      ['in seconds', '7', 7_000],
      ['as a date', new Date(Date.UTC(2026, 10, 26) + 5_000).toUTCString(), 5_000],
    ])('waits for a Retry-After %s', async (_, header, ms) => {
      standIn.faults.push(cases.refusal(429, { 'retry-after': header }))
      expect(await create().invalidate([target('a')])).toEqual([{ ok: true }])
      expect(clock.waits).toEqual([ms])
    })

    test('gives a long Retry-After back instead of waiting, and asks nothing more before its time', async () => {
      standIn.faults.push(cases.refusal(429, { 'retry-after': '60' }))
      const cdn = create({ maxWaitMs: 1_000 })
      const first = errorOf(await cdn.invalidate([target('a')]))
      expect(first).toMatchObject({ code: 'rate-limited', retryable: true, retryAfterMs: 60_000 })
      clock.pass(20_000)
      const second = errorOf(await cdn.invalidate([target('a')]))
      expect(second).toMatchObject({ code: 'rate-limited', retryable: true, retryAfterMs: 40_000 })
      expect(clock.waits).toEqual([])
      expect(standIn.requests).toHaveLength(1)
      clock.pass(40_000)
      expect(await cdn.invalidate([target('a')])).toEqual([{ ok: true }])
    })

    test('tries again after a failure of the server, longer apart, and gives up in the end', async () => {
      standIn.faults.push(...Array.from({ length: 3 }, () => cases.refusal(503)))
      const [result] = await create({ random: () => 1 }).invalidate([target('a')])
      expect(result).toMatchObject({
        ok: false,
        error: { code: 'unavailable', retryable: true, status: 503 },
      })
      expect(clock.waits).toEqual([500, 1_000])
    })

    test('counts a request without an answer as lost, and sends it again', async () => {
      standIn.faults.push('no answer')
      expect(await create({ requestTimeoutMs: 1_000 }).invalidate([target('a')])).toEqual([{ ok: true }])
      expect(standIn.requests).toHaveLength(2)
    })

    test('says timeout where no answer ever came', async () => {
      standIn.faults.push('no answer')
      const error = errorOf(await create({ requestTimeoutMs: 50, attempts: 1 }).invalidate([target('a')]))
      expect(error).toMatchObject({ code: 'timeout', retryable: true })
    })

    test('resolves a lost answer by telling it again', async () => {
      standIn.faults.push('cut after the effect')
      expect(await create().invalidate([target('a', { reference: 'job-1' })])).toEqual([{ ok: true }])
      expect(standIn.requests).toHaveLength(2)
    })

    test('says that a lost answer may be asked for again', async () => {
      standIn.faults.push('cut after the effect')
      const cdn = create({ attempts: 1 })
      expect(errorOf(await cdn.invalidate([target('a')]))).toMatchObject({
        code: 'unavailable',
        retryable: true,
      })
      expect(await cdn.invalidate([target('a')])).toEqual([{ ok: true }])
    })

    test('never follows a redirect, which would carry the secret away', async () => {
      const elsewhere = await vendorStandIn(() => ({ status: 200, body: '{"success":true,"status":"ok"}' }))
      try {
        standIn.faults.push(cases.refusal(302, { location: `${elsewhere.origin}/` }))
        expect(errorOf(await create({ attempts: 1 }).invalidate([target('a')])).status).toBe(302)
        expect(elsewhere.requests).toEqual([])
      } finally {
        await elsewhere.close()
      }
    })

    test('ends with aborted when the caller stops, and sends nothing after that', async () => {
      const caller = new AbortController()
      standIn.faults.push(cases.refusal(503))
      const cdn = create({ sleep: async () => caller.abort() })
      const call = cdn.invalidate([target('a')], { signal: caller.signal })
      await expect(call).rejects.toMatchObject({ code: 'aborted', operation: 'invalidate' })
      expect(standIn.requests).toHaveLength(1)
    })

    test('gives a timeout for what was not confirmed within timeoutMs', async () => {
      standIn.faults.push('no answer')
      const error = errorOf(await create().invalidate([target('a')], { timeoutMs: 50 }))
      expect(error).toMatchObject({ code: 'timeout', retryable: true })
    })

    test.each([
      ['a path without a slash', { paths: ['b'] }],
      ['a path that is not encoded', { paths: ['/b c'] }],
      ['a path with a fragment', { paths: ['/b#c'] }],
      ['a path with a backslash', { paths: ['/b\\c'] }],
    ])('says of %s that it is none, and purges what is beside it', async (_, parts) => {
      const results = await create().invalidate([target('a', parts), target('c')])
      expect(results).toMatchObject([
        { ok: false, error: { code: 'invalid-argument', retryable: false } },
        { ok: true },
      ])
      expect(standIn.purged.sort()).toEqual(purged('/a', '/c'))
    })

    test('says of a key that no store has that it is none, and purges its paths', async () => {
      const error = errorOf(await create().invalidate([target('a\ud800', { paths: ['/a'] })]))
      expect(error).toMatchObject({ code: 'invalid-argument', retryable: false })
      expect(standIn.purged).toEqual(purged('/a'))
    })

    test.each([
      ['no list', {}],
      ['no target', [null]],
      ['a target without paths', [{ key: 'a', tags: [] }]],
      ['a path that is no string', [{ key: 'a', paths: [1], tags: [] }]],
      ['a reference that is no string', [{ key: 'a', paths: [], tags: [], reference: 1 }]],
    ])('refuses %s with nothing sent', async (_, targets) => {
      const call = create().invalidate(targets as never)
      await expect(call).rejects.toMatchObject({ code: 'invalid-argument', retryable: false })
      expect(standIn.requests).toEqual([])
    })

    test('refuses an unknown option with nothing sent', async () => {
      const call = create().invalidate([target('a')], { timeout: 5 } as never)
      await expect(call).rejects.toMatchObject({ code: 'invalid-argument' })
      expect(standIn.requests).toEqual([])
    })

    test('says of a wrong token that a person is needed, once and without the token', async () => {
      const wrong = `${cases.token.slice(0, -4)}OOPS`
      const error = errorOf(await create({}, wrong).invalidate([target('a')]))
      expect(['unauthenticated', 'permission-denied']).toContain(error.code)
      expect(error.retryable).toBe(false)
      expect(standIn.requests).toHaveLength(1)
      expect(standIn.purged).toEqual([])
      expect(shown(error)).not.toContain(wrong)
    })

    if (cases.tokenIsSecret === false) return

    test('keeps the token out of an error in which the vendor repeats it', async () => {
      standIn.faults.push(cases.refusal(400, {}, `bad token ${cases.token}!`))
      const error = errorOf(await create().invalidate([target('a')]))
      expect(shown(error)).not.toContain(cases.token)
    })
  })
}

/** The error of the only result. */
export function errorOf(results: readonly InvalidationResult[]): StorageError {
  const [result] = results
  if (results.length !== 1 || result === undefined || result.ok)
    throw new Error(`no error: ${inspect(results)}`)
  return result.error
}

/** Whatever a log could print of it. */
function shown(error: StorageError): string {
  return `${error.stack} ${JSON.stringify(error)} ${inspect(error, { depth: 12, showHidden: true })}`
}
