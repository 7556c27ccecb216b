import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import { AdaptiveLimit } from '../../../src/migrate/copy/adaptive-limit.ts'
import { VirtualTime } from './virtual-time.ts'

interface Store {
  /** Milliseconds there and back. */
  latencyMs: number
  /** Requests served at once. */
  workers: number
  /** Milliseconds that a worker takes for one. */
  serviceMs: number
  /** More under way than this are refused. */
  refusesAbove?: number
}

/** As many as the limit lets through, against a store with so many workers and a line before them. */
function simulation(store: Store, most = 256) {
  const time = new VirtualTime()
  const random = seededRandom(7)
  const limit = new AdaptiveLimit({ most, now: time.now })
  const free: number[] = Array.from({ length: store.workers }, () => 0)
  let [done, refused, at] = [0, 0, 0]
  async function requests(): Promise<never> {
    for (;;) {
      const slot = await limit.acquire()
      if (limit.underWay > (store.refusesAbove ?? Number.POSITIVE_INFINITY)) {
        await time.sleep(store.latencyMs)
        refused++
        slot.overloaded()
        continue
      }
      // Served by the worker that is free first; service times scatter by a third.
      const worker = free.indexOf(Math.min(...free))
      const arrives = time.now() + store.latencyMs / 2
      const service = store.serviceMs * (0.83 + random() / 3)
      free[worker] = Math.max(free[worker]!, arrives) + service
      await time.sleep(free[worker]! - time.now() + store.latencyMs / 2)
      done++
      slot.done(1)
    }
  }
  for (let index = 0; index < 2 * most; index++) void requests()
  return {
    limit,
    store,
    /** Requests done a second while `ms` pass, and how many were refused in all. */
    async pass(ms: number) {
      const before = { done, refused }
      at += ms
      await time.pass(at)
      return { rate: ((done - before.done) / ms) * 1000, refused: refused - before.refused }
    },
  }
}

describe('the limit finds how much at once brings the most', () => {
  const stores = {
    'a fast store nearby': { latencyMs: 2, workers: 8, serviceMs: 10 },
    'a store far away': { latencyMs: 60, workers: 16, serviceMs: 20 },
    'a large store far away': { latencyMs: 100, workers: 200, serviceMs: 10 },
    'one worker': { latencyMs: 5, workers: 1, serviceMs: 20 },
  }
  for (const [name, store] of Object.entries(stores)) {
    const best = Math.min(store.workers / store.serviceMs, 256 / (store.latencyMs + store.serviceMs)) * 1000
    test(`within two seconds 85 % of it, and 90 % from then on: ${name}`, async () => {
      const run = simulation(store)
      await run.pass(2_000)
      expect((await run.pass(1_000)).rate).toBeGreaterThan(0.85 * best)
      expect((await run.pass(20_000)).rate).toBeGreaterThan(0.9 * best)
    })
  }

  test('and no more than some times what would be enough', async () => {
    const run = simulation(stores['a fast store nearby'])
    await run.pass(20_000)
    // 8 workers and the way there and back need 10.
    expect(run.limit.limit).toBeLessThanOrEqual(40)
  })
})

describe('a store that refuses', () => {
  test('is asked for less at once, and is used well all the same', async () => {
    const run = simulation({ latencyMs: 20, workers: 100, serviceMs: 10, refusesAbove: 60 })
    await run.pass(5_000)
    const { rate, refused } = await run.pass(20_000)
    expect(rate).toBeGreaterThan(0.6 * (60 / 30) * 1000)
    expect(refused).toBeLessThan(0.05 * 20 * rate)
  })

  test('and that takes more again is asked for more again', async () => {
    const run = simulation({ latencyMs: 50, workers: 200, serviceMs: 10, refusesAbove: 20 })
    await run.pass(10_000)
    expect(run.limit.limit).toBeLessThan(30)
    run.store.refusesAbove = 200
    await run.pass(30_000)
    expect(run.limit.limit).toBeGreaterThan(60)
  })
})

test('many failures lower the limit, few do not', async () => {
  for (const [share, lowers] of [
    [0.5, true],
    [0.05, false],
  ] as const) {
    const random = seededRandom(3)
    const time = new VirtualTime()
    const limit = new AdaptiveLimit({ most: 64, start: 64, now: time.now })
    for (let index = 0; index < 128; index++)
      void (async () => {
        for (;;) {
          const slot = await limit.acquire()
          await time.sleep(50 + random())
          if (random() < share) slot.failed()
          else slot.done(1)
        }
      })()
    await time.pass(1_000)
    expect(limit.limit < 32).toBe(lowers)
  }
})

test('a limit that is given stays', async () => {
  const limit = new AdaptiveLimit({ most: 7, least: 7, now: () => 0 })
  const slots = await Promise.all(Array.from({ length: 7 }, () => limit.acquire()))
  let entered = false
  const eighth = limit.acquire().then(slot => {
    entered = true
    return slot
  })
  await new Promise(resolve => setImmediate(resolve))
  expect(entered).toBe(false)
  slots[0]!.overloaded()
  await eighth
  expect(limit.limit).toBe(7)
})

test('who stops waiting leaves the line', async () => {
  const limit = new AdaptiveLimit({ most: 1, now: () => 0 })
  const first = await limit.acquire()
  const leaving = new AbortController()
  const second = limit.acquire(leaving.signal)
  const third = limit.acquire()
  leaving.abort()
  await expect(second).rejects.toMatchObject({ code: 'aborted' })
  first.release()
  first.release()
  await third
  expect(limit.underWay).toBe(1)
})
