import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { StorageError } from '../../../src/core/errors.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import type { CutOverEvent } from '../../../src/migrate/cut-over/cut-over-event.ts'
import { withRecords } from '../../../src/records/index.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { VirtualClock } from '../../records/support/virtual-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { forwardEngine } from '../../support/forward-engine.ts'
import { textsOf } from './texts-of.ts'

const text = { contentType: 'text/plain' }

/** Processes of one cut-over, each with a clock of its own and a database that it may lose. */
function world() {
  const [from, to] = [memory(), memory()]
  const engine = sqlite({ path: ':memory:' })
  return {
    from,
    to,
    engine,
    process(owner: string) {
      const clock = new VirtualClock()
      const events: CutOverEvent[] = []
      let isCut = false
      const cut = <T>(run: () => Promise<T>): Promise<T> =>
        isCut ? Promise.reject(new StorageError('unavailable', 'the database is not there')) : run()
      const own: Engine = forwardEngine(engine, {
        batch: (statements, options) => cut(() => engine.batch(statements, options)),
        query: (statement, options) => cut(() => engine.query(statement, options)),
        close: async () => {},
      })
      const store = cutOver({
        from,
        to,
        engine: own,
        owner,
        leaseMs: 30_000,
        onEvent: event => events.push(event),
        monotonic: clock.monotonic,
        wait: clock.waitOf(owner),
      })
      return {
        store,
        clock,
        events,
        files: withRecords(store, own, { env: {}, replaceGraceMs: 0, owner }),
        cut: (value: boolean) => {
          isCut = value
        },
      }
    },
  }
}

/** Goes on with `promise` while time passes for a process. */
async function withTime<T>(promise: Promise<T>, ...clocks: VirtualClock[]): Promise<T> {
  let isOver = false
  const done = promise.finally(() => {
    isOver = true
  })
  done.catch(() => {})
  while (!isOver) {
    for (const clock of clocks) clock.advance(1_000)
    await new Promise(resolve => setImmediate(resolve))
  }
  return done
}

describe('the lease on a phase', () => {
  it('makes a change wait until every process holds the new phase', async () => {
    const { process } = world()
    const [a, b] = [process('a'), process('b')]
    await a.files.upload('a.txt', 'a', text)
    await b.files.upload('b.txt', 'b', text)
    const change = a.store.advance()
    let isOver = false
    void change.then(() => {
      isOver = true
    })
    await eventually(async () => expect((await a.store.status()).phase).toBe('dual-write'))
    expect((await a.store.status()).processes.map(({ phase }) => phase)).toContain('source-only')
    expect(isOver).toBe(false)
    // Both have time now: the other one beats, and sees the change.
    expect(await withTime(change, a.clock, b.clock)).toBe('dual-write')
    expect(b.events).toContainEqual({ kind: 'phase', phase: 'dual-write' })
    expect((await a.store.status()).processes.map(({ phase }) => phase)).toEqual(['dual-write', 'dual-write'])
  })

  it('waits for a write that began in the old phase', async () => {
    const { process, to } = world()
    const a = process('a')
    let go = () => {}
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    async function* slow() {
      yield Buffer.from('slow')
      await gate
    }
    const upload = a.files.upload('slow.txt', slow(), text)
    await eventually(async () => expect((await a.files.jobs()).length).toBe(1))
    const change = withTime(a.store.advance(), a.clock)
    await eventually(async () => expect((await a.store.status()).phase).toBe('dual-write'))
    await a.files.upload('new.txt', 'new', text)
    expect(await textsOf(to)).toEqual(['new'])
    expect((await a.store.status()).processes).toMatchObject([{ phase: 'source-only' }])
    go()
    await upload
    expect(await change).toBe('dual-write')
    expect((await a.store.status()).processes).toMatchObject([{ phase: 'dual-write' }])
  })

  it('gives up a process that is silent for its time, and what that one still wants to write is refused', async () => {
    const { process, from, to } = world()
    const [a, silent] = [process('a'), process('silent')]
    await silent.files.upload('before.txt', 'before', text)
    await a.files.upload('a.txt', 'a', text)
    let go = () => {}
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    async function* slow() {
      yield Buffer.from('late')
      await gate
    }
    const late = silent.files.upload('late.txt', slow(), text)
    late.catch(() => {})
    await eventually(async () => expect((await a.files.jobs()).length).toBe(1))
    // No time passes for the silent one.
    for (const phase of ['dual-write', 'backfill'])
      expect(await withTime(a.store.advance(), a.clock)).toBe(phase)
    await withTime(a.store.backfill(), a.clock)
    go()
    await expect(late).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    // It begins again in the phase of the others.
    silent.clock.advance(60_000)
    await silent.files.upload('again.txt', 'again', text)
    expect(silent.events).toContainEqual({ kind: 'lease-lost', phase: 'backfill' })
    expect(await textsOf(to)).toEqual(['a', 'again', 'before'])
    expect(await textsOf(from)).toEqual(['a', 'again', 'before'])
  })

  it('stops writes of a process that can not reach the database, before others give it up, and lets it read', async () => {
    const { process, from } = world()
    const a = process('a')
    await a.store.upload('a.txt', 'a', text)
    a.cut(true)
    a.clock.advance(29_000)
    await expect(a.store.upload('b.txt', 'b', text)).rejects.toMatchObject({ code: 'unavailable' })
    a.clock.advance(2_000)
    const before = await textsOf(from)
    await expect(a.store.upload('c.txt', 'c', text)).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
      message: expect.stringContaining('could not renew its lease'),
    })
    await expect(a.store.delete('a.txt')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await textsOf(from)).toEqual(before)
    expect(await (await a.store.download('a.txt')).text()).toBe('a')
    a.cut(false)
    await a.store.upload('c.txt', 'c', text)
    expect(await (await a.store.download('c.txt')).text()).toBe('c')
  })

  it('is given back when the store is closed, so that nobody waits', async () => {
    const { process } = world()
    const [a, b] = [process('a'), process('b')]
    await b.files.upload('b.txt', 'b', text)
    await a.files.upload('a.txt', 'a', text)
    expect((await a.store.status()).processes).toHaveLength(2)
    await b.store.close()
    expect((await a.store.status()).processes).toHaveLength(1)
  })
})
