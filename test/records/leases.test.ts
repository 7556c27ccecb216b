import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { type CollectReport, type RecordsEvent, withRecords } from '../../src/records/index.ts'
import { Leases } from '../../src/records/leases.ts'
import { RecordSet } from '../../src/records/record-set.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

const engine = () => sqlite({ path: ':memory:' })

/** A process over a shared database, whose pauses last until they are let go. */
function aProcess(shared: ReturnType<typeof engine>, owner: string) {
  const clock = { monotonic: 0 }
  const pauses: (() => void)[] = []
  const set = new RecordSet(memory(), shared, {
    owner,
    leaseMs: 30_000,
    monotonic: () => clock.monotonic,
    wait: (_, signal) =>
      new Promise<void>((resolve, reject) => {
        pauses.push(resolve)
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
  })
  const beat = () => {
    for (const go of pauses.splice(0)) go()
  }
  return { set, leases: new Leases(set), clock, beat }
}

describe('a lease', () => {
  it('is held by one, and free when it was released', async () => {
    const shared = engine()
    const [a, b] = [aProcess(shared, 'a'), aProcess(shared, 'b')]
    const held = await a.leases.take('audit')
    expect(held?.fence).toBe(1)
    expect(await b.leases.take('audit')).toBeUndefined()
    expect((await b.leases.take('collect'))?.fence).toBe(1)
    await held!.release()
    expect((await b.leases.take('audit'))?.fence).toBe(2)
  })

  it('goes to one of many that ask at once', async () => {
    const shared = engine()
    const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(name => aProcess(shared, name))
    const same = all[0]!
    const takes = [...all.map(one => one.leases.take('audit')), new Leases(same.set).take('audit')]
    expect((await Promise.all(takes)).filter(Boolean)).toHaveLength(1)
  })

  it("is taken over when the holder's beat was the same for the lease's time, as seen from here", async () => {
    const shared = engine()
    const [a, b] = [aProcess(shared, 'a'), aProcess(shared, 'b')]
    const held = await a.leases.take('audit')
    expect(await b.leases.take('audit')).toBeUndefined()
    b.clock.monotonic += 29_999
    expect(await b.leases.take('audit')).toBeUndefined()
    b.clock.monotonic += 1
    expect((await b.leases.take('audit'))?.fence).toBe(2)
    expect(held!.lost.aborted).toBe(false)
    a.beat()
    await expect.poll(() => held!.lost.aborted).toBe(true)
    await held!.release()
    expect(await a.leases.take('audit')).toBeUndefined()
  })

  it('is not taken over while the holder is alive, however long it works', async () => {
    const shared = engine()
    const [a, b] = [aProcess(shared, 'a'), aProcess(shared, 'b')]
    await a.leases.take('audit')
    const beatOf = async () =>
      Number((await shared.query(["SELECT beat FROM t_default__leases WHERE name = 'audit'"]))[0]!.beat)
    for (let turn = 1; turn <= 5; turn++) {
      expect(await b.leases.take('audit')).toBeUndefined()
      b.clock.monotonic += 29_000
      a.beat()
      await expect.poll(beatOf).toBe(turn)
    }
  })
})

describe('audits and collects that are repeated', () => {
  it('run at once, then each time the period has passed, in one of several processes', async () => {
    const shared = engine()
    const store = memory()
    const clock = { now: Date.UTC(2026, 0, 1) }
    const runs: string[] = []
    const starts = ['a', 'b', 'c'].map(owner => {
      const files = withRecords(store, shared, {
        owner,
        now: () => clock.now,
        monotonic: () => clock.now,
        wait: async (_ms, signal) => {
          signal?.throwIfAborted()
          await new Promise(resolve => setTimeout(resolve, 1))
        },
      })
      return files.startAudits({
        everyMs: 60_000,
        onReport: report => void runs.push(`${owner} ${report.startedAt.getTime()}`),
      })
    })
    for (let turn = 1; turn <= 3; turn++) {
      await expect.poll(() => runs.length).toBe(turn)
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(runs).toHaveLength(turn)
      clock.now += 60_000
    }
    await Promise.all(starts.map(start => start.stop()))
    expect(new Set(runs.map(run => run.split(' ')[1])).size).toBe(runs.length)
  })

  it('are not run by a process that gets the lease when another has just run them', async () => {
    const shared = engine()
    const store = memory()
    const reports: string[] = []
    let open = () => {}
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    let waits = false
    // It has seen that a run is due, and is slow to ask for the lease.
    const slow: Engine = forwarded(shared, async (statement, options) => {
      if (statement[0].includes('__leases')) {
        waits = true
        await gate
      }
      return shared.query(statement, options)
    })
    const start = (name: string, over: Engine) =>
      withRecords(store, over, { owner: name }).startAudits({
        everyMs: 60_000,
        onReport: () => void reports.push(name),
      })
    const second = start('second', slow)
    await expect.poll(() => waits).toBe(true)
    const first = start('first', shared)
    await expect.poll(() => reports).toEqual(['first'])
    await first.stop()
    open()
    const lease = () => shared.query(["SELECT fence, holder FROM t_default__leases WHERE name = 'audit'"])
    await expect.poll(lease).toEqual([{ fence: 2n, holder: '' }])
    await second.stop()
    expect(reports).toEqual(['first'])
  })

  it('tell what failed as an event, and go on', async () => {
    const events: RecordsEvent[] = []
    const reports: CollectReport[] = []
    let skew = 60_000
    const store = memory({ now: () => Date.now() + skew })
    const files = withRecords(store, engine(), {
      onEvent: event => void events.push(event),
      wait: async (_ms, signal) => {
        signal?.throwIfAborted()
        await new Promise(resolve => setTimeout(resolve, 1))
      },
    })
    const worker = files.startCollects({ everyMs: 1000, onReport: report => void reports.push(report) })
    await expect.poll(() => events.map(event => event.kind)).toContain('worker-failed')
    expect(reports).toEqual([])
    skew = 0
    await expect.poll(() => reports.length).toBeGreaterThan(0)
    await worker.stop()
  })

  it('refuse a period that is none', () => {
    const files = withRecords(memory(), engine())
    expect(() => files.startAudits({ everyMs: 0 })).toThrow('everyMs must be a number')
  })
})

function forwarded(engine: Engine, query: Engine['query']): Engine {
  const { name, types, jsonArray, textHoldsNul } = engine
  return {
    name,
    types,
    jsonArray,
    textHoldsNul,
    query,
    batch: (statements, options) => engine.batch(statements, options),
    outcome: (id, options) => engine.outcome(id, options),
    forget: before => engine.forget(before),
    join: transaction => engine.join(transaction),
    close: () => engine.close(),
  }
}
