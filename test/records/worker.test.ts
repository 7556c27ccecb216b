import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { JobClaims } from '../../src/records/claim-jobs.ts'
import { RecordSet } from '../../src/records/record-set.ts'
import { eventually } from '../support/eventually.ts'
import { forwardEngine } from '../support/forward-engine.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

/** Background waits that end when the test says so, with what they were asked to wait. */
function pauses() {
  const asked: number[] = []
  const ends: (() => void)[] = []
  return {
    asked,
    wait: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        asked.push(ms)
        ends.push(resolve)
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
    next: () => ends.shift()?.(),
  }
}

describe('the worker', () => {
  it('does what is due, and sleeps no longer than until the next thing is', async () => {
    const { wait, asked, next } = pauses()
    const world = recorded({ wait, replaceGraceMs: 20_000 })
    await world.files.upload('a', 'one')
    await world.files.upload('a', 'two')
    const before = asked.length
    const worker = world.files.startWorker({ idleMs: 60_000 })
    await eventually(() => expect(asked.slice(before)).toEqual([20_000]))
    world.advance(20_001)
    // The two uploads' heartbeats wait, too: theirs were asked for before.
    for (let index = 0; index <= before; index++) next()
    // What is left beside the file is the marker of the record set.
    await eventually(async () => expect(await world.stored()).toHaveLength(2))
    await worker.stop()
  })

  it('outlives a database that can’t be reached, tells, and pauses longer each time', async () => {
    const { wait, asked, next } = pauses()
    let down = false
    const world = recorded({
      wait,
      throughEngine: engine =>
        forwardEngine(engine, {
          query: (statement, options) =>
            down
              ? Promise.reject(new StorageError('unavailable', 'no database'))
              : engine.query(statement, options),
        }),
    })
    await world.files.exists('a')
    down = true
    const worker = world.files.startWorker({ idleMs: 60_000 })
    for (let round = 1; round <= 3; round++) {
      await eventually(() => expect(asked).toHaveLength(round))
      if (round < 3) next()
    }
    expect(asked).toEqual([2_000, 4_000, 8_000])
    expect(world.events.map(event => event.kind)).toEqual(Array(3).fill('worker-failed'))
    down = false
    next()
    await eventually(() => expect(asked).toHaveLength(4))
    expect(asked[3]).toBe(60_000)
    await worker.stop()
  })

  it('stops for good when the records have been restored or moved under it', async () => {
    const { wait, asked, next } = pauses()
    const world = recorded({ wait })
    await world.files.exists('a')
    const worker = world.files.startWorker()
    await eventually(() => expect(asked).toHaveLength(1))
    await world.engine.batch([["UPDATE t_default__settings SET value = '2' WHERE name = 'epoch'"]])
    next()
    await eventually(() => expect(world.events.map(event => event.kind)).toContain('epoch-changed'))
    await worker.stop()
    expect(asked).toHaveLength(1)
    await expect(world.files.recover()).rejects.toSatisfy(hasCode('invalid-argument'))
    await world.another().recover()
  })

  it('works beside others: each job is done by one of them', async () => {
    let removals = 0
    const world = recorded({
      replaceGraceMs: 10,
      through: changed(inner => ({
        async deleteMany(keys, options) {
          const all: string[] = []
          for await (const key of keys) all.push(typeof key === 'string' ? key : (key as { key: string }).key)
          removals += all.length
          return inner.deleteMany(all, options)
        },
      })),
    })
    for (let index = 0; index < 30; index++) {
      await world.files.upload(`f/${index}`, 'one')
      await world.files.upload(`f/${index}`, 'two')
    }
    world.advance(20)
    const workers = [world.files, world.another(), world.another(), world.another()]
    const reports = await Promise.all(workers.map(files => files.recover()))
    expect(reports.reduce((sum, report) => sum + report.worked, 0)).toBe(30)
    expect(removals).toBe(30)
    expect(await world.stored()).toHaveLength(30)
  })

  it('finds what is due behind any number of jobs that living processes work on', async () => {
    const world = recorded({ replaceGraceMs: 60_000 })
    for (let index = 0; index < 200; index++) await world.files.prepareUpload(`long/${index}`, 'bytes')
    await world.files.upload('a', 'one')
    const { etag } = await world.files.upload('a', 'two')
    world.advance(60_000)
    expect(await world.another().recover()).toMatchObject({ worked: 1, pending: 200 })
    expect((await world.stored()).filter(key => key.startsWith('default/a'))).toEqual([`default/a.${etag}`])
  })
})

describe('jobs of others', () => {
  it('are forgotten once they have ended: a worker lives long', async () => {
    const world = recorded({ leaseMs: 1_000 })
    const uploads = [
      await world.files.prepareUpload('a', 'bytes'),
      await world.files.prepareUpload('b', 'bytes'),
    ]
    const set = new RecordSet(world.store, world.engine, {
      now: world.now,
      monotonic: world.now,
      owner: 'worker',
      leaseMs: 1_000,
      env: {},
    })
    const claims = new JobClaims(set)
    const look = async () => {
      for (const job of await set.jobs(['1 = 1'])) claims.isFree(job)
      claims.forgetUnseen()
      return claims.watched
    }
    expect(await look()).toBe(2)
    await world.files.publish(uploads[0]!)
    world.advance(9_000)
    expect(await look()).toBe(2)
    world.advance(2_000)
    expect(await look()).toBe(1)
  })
})
