import { describe, expect, test } from 'vitest'
import { StorageError } from '../../../src/core/errors.ts'
import { faults } from '../../../src/decorators/faults.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { migrated, ofKind, textsOf, twoSides } from './two-sides.ts'

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at % 7}/${at}`, `text ${at}`]))
const atOnce = { random: seededRandom(5), sleep: async () => {} }

describe('failures', () => {
  test('of 5 % of all calls on both sides, of every kind, fail no object', async () => {
    const objects = many(300)
    const { from, to, manifest } = await twoSides(objects)
    const rules = (['before', 'after', 'lost-answer', 'cut'] as const).map(kind => ({
      kind,
      rate: 0.02,
      operations: (kind === 'cut' ? ['download'] : ['download', 'upload', 'info']) as never,
    }))
    const { result } = await migrated({
      from: faults(from, { seed: 1, rules }),
      to: faults(to, { seed: 2, rules }),
      manifest,
      ...atOnce,
    })
    expect(result).toMatchObject({ complete: true, copied: 300, failed: 0 })
    expect(await textsOf(to)).toEqual(objects)
  })

  test('that last fail their object, which the next run tries again', async () => {
    const { from, ...others } = await twoSides(many(10))
    const broken = faults(from, {
      seed: 1,
      rules: [{ kind: 'before', operations: ['download'], key: '3/3' }],
    })
    const migration = migrate({ ...others, from: broken, limits: { attempts: 3 }, ...atOnce })
    await migration.plan()
    const events = []
    for await (const event of migration.run()) events.push(event)
    expect(ofKind(events, 'retry')).toHaveLength(2)
    expect(ofKind(events, 'failed')).toHaveLength(1)
    const row = await (await migration.manifest()).row('3/3')
    expect(row).toMatchObject({ state: 'failed', attempts: 3, errorCode: 'unavailable' })
    broken.faults.enabled = false
    expect(await migration.run()).toMatchObject({ copied: 1, failed: 0 })
    expect(await migration.verify()).toMatchObject({ complete: true })
  })

  test('that no other try cures are not tried again', async () => {
    const { to, ...others } = await twoSides({ a: 'a', b: 'b' })
    const refusing = forward(to, {
      async upload(key, body, options) {
        if (key === 'a') throw new StorageError('permission-denied', 'not this one', { key })
        return to.upload(key, body, options)
      },
    })
    const { events, result } = await migrated({ ...others, to: refusing, ...atOnce })
    expect(ofKind(events, 'retry')).toEqual([])
    expect(result).toMatchObject({ complete: false, copied: 1, failed: 1 })
  })

  test('a store asks to wait for are waited for', async () => {
    const { from, ...others } = await twoSides({ a: 'a' })
    const limited = faults(from, {
      seed: 1,
      rules: [
        { kind: 'before', operations: ['download'], code: 'rate-limited', retryAfterMs: 7_000, times: 1 },
      ],
    })
    const waits: number[] = []
    const { result } = await migrated({
      ...others,
      from: limited,
      random: () => 0.5,
      sleep: async ms => void waits.push(ms),
    })
    expect(result.complete).toBe(true)
    expect(waits).toEqual([7_150])
  })

  for (const [name, error] of [
    ['credentials that are refused', new StorageError('unauthenticated', 'who are you?')],
    ['a bucket that is not there', new StorageError('not-found', 'no bucket', { resource: 'bucket' })],
  ] as const)
    test(`by ${name} end the run at once`, async () => {
      const { to, ...others } = await twoSides(many(100))
      let calls = 0
      const refusing = forward(to, {
        async upload() {
          calls++
          throw error
        },
      })
      const migration = migrate({ ...others, to: refusing, ...atOnce })
      await migration.plan()
      await expect(async () => migration.run()).rejects.toMatchObject({ code: error.code })
      expect(calls).toBeLessThanOrEqual(50)
    })

  test('of one object after the other end the run: a store is down', async () => {
    const { to, ...others } = await twoSides(many(400))
    const down = faults(to, { seed: 1, rules: [{ kind: 'before', operations: ['upload'] }] })
    const migration = migrate({ ...others, to: down, ...atOnce })
    await migration.plan()
    await expect(async () => migration.run()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('50 objects in a row'),
    })
    const { byState } = await migration.status()
    expect(byState.planned.objects).toBeGreaterThan(200)
    down.faults.enabled = false
    expect(await migration.run()).toMatchObject({ copied: 400 })
  })
})

describe('limits', () => {
  test('on requests and bytes a second are kept', async () => {
    const sides = await twoSides(many(50))
    let waited = 0
    const migration = migrate({
      ...sides,
      limits: { requestsPerSecond: 100, concurrency: 1 },
      now: () => waited,
      sleep: async ms => {
        waited += ms
      },
    })
    await migration.plan()
    await migration.run()
    // 50 objects, two requests each, the first ten at once.
    expect(waited).toBeGreaterThanOrEqual(890)
    expect(waited).toBeLessThan(1_100)
  })

  test('on what is under way at once are kept', async () => {
    const { from, ...others } = await twoSides(many(60))
    let [now, most] = [0, 0]
    const watched = forward(from, {
      async download(key, options) {
        most = Math.max(most, ++now)
        const download = await from.download(key, options)
        await new Promise(resolve => setImmediate(resolve))
        now--
        return download
      },
    })
    await migrated({ ...others, from: watched, limits: { concurrency: 3 } })
    expect(most).toBe(3)
  })

  test('on memory are kept, and one object may be larger than all of it', async () => {
    const bytes = Buffer.alloc(1_000_000, 'a')
    const { to, ...others } = await twoSides(
      Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`${at}`, bytes])),
    )
    let [now, most] = [0, 0]
    const watched = forward(to, {
      async upload(key, body, options) {
        most = Math.max(most, ++now)
        await new Promise(resolve => setImmediate(resolve))
        now--
        return to.upload(key, body, options)
      },
    })
    const { result } = await migrated({ ...others, to: watched, limits: { bytesInFlight: 3_100_000 } })
    expect(result.complete).toBe(true)
    expect(most).toBeLessThanOrEqual(3)
    const again = await migrated({
      ...others,
      to: forward(to),
      name: 'small',
      limits: { bytesInFlight: 1_000 },
    })
    expect(again.result.complete).toBe(true)
  })
})

describe('an abort', () => {
  test('ends a run, which the next one goes on with', async () => {
    const sides = await twoSides(many(200))
    const ending = new AbortController()
    const migration = migrate(sides)
    await migration.plan()
    let copied = 0
    const run = async () => {
      for await (const event of migration.run({ signal: ending.signal }))
        if (event.kind === 'copied' && ++copied === 20) ending.abort()
    }
    await expect(run()).rejects.toMatchObject({ code: 'aborted' })
    const { byState } = await migration.status()
    expect(byState.copied.objects).toBeGreaterThanOrEqual(20)
    expect(byState.failed.objects).toBe(0)
    expect(await migration.run()).toMatchObject({ copied: 200 - byState.copied.objects })
  })

  test('is also to leave the loop, and nothing is under way behind it', async () => {
    const sides = await twoSides(many(200))
    const migration = migrate(sides)
    for await (const event of migration) if (event.kind === 'copied') break
    const before = await migration.status()
    await new Promise(resolve => setImmediate(resolve))
    expect(await migration.status()).toEqual(before)
    expect(before.byState.planned.objects).toBeGreaterThan(0)
  })
})
