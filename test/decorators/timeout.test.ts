import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { Download } from '../../src/core/download.ts'
import { listingOf } from '../../src/core/listing.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { faults, forward, retry, timeout } from '../../src/decorators/index.ts'

/** A clock that stands until it is moved; timers that have come due call back. */
function clock() {
  let now = 0
  const timers = new Map<object, { at: number; call: () => void }>()
  return {
    timer(ms: number, call: () => void) {
      const id = {}
      timers.set(id, { at: now + ms, call })
      return () => void timers.delete(id)
    },
    advance(ms: number) {
      now += ms
      for (const [id, { at, call }] of timers) {
        if (at > now) continue
        timers.delete(id)
        call()
      }
    },
    get pending() {
      return timers.size
    },
  }
}

const never = () => new Promise<never>(() => {})
const turn = () => new Promise(resolve => setImmediate(resolve))
const message = { code: 'timeout', retryable: true }

function hanging(changes: Partial<StorageProvider>) {
  const time = clock()
  const store = memory()
  return {
    time,
    store,
    files: timeout(forward(store, changes), { timeoutMs: 100, idleMs: 10, timer: time.timer }),
  }
}

describe('timeout', () => {
  it('ends an operation that hangs and heeds no signal', async () => {
    const { files, time } = hanging({ info: never })
    const asked = files.info('a.txt')
    await turn()
    time.advance(99)
    await turn()
    time.advance(1)
    await expect(asked).rejects.toMatchObject({ ...message, operation: 'info', key: 'a.txt' })
    expect(time.pending).toBe(0)
  })

  it('tells what is below by its signal', async () => {
    let seen: AbortSignal | undefined
    const { files, time } = hanging({
      exists: (_, options) => {
        seen = options?.signal
        return never()
      },
    })
    const asked = files.exists('a.txt')
    time.advance(100)
    await expect(asked).rejects.toMatchObject(message)
    expect(seen?.aborted).toBe(true)
  })

  it('keeps a shorter time and the signal of the caller', async () => {
    const { files, time } = hanging({ info: never })
    const shorter = files.info('a.txt', { timeoutMs: 20 })
    time.advance(20)
    await expect(shorter).rejects.toMatchObject(message)
    const stop = new AbortController()
    const stopped = files.info('a.txt', { signal: stop.signal })
    stop.abort()
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
  })

  it('leaves no timer behind', async () => {
    const { files, time } = hanging({})
    await files.upload('a.txt', 'a')
    await (await files.download('a.txt')).text()
    for await (const _ of files.list());
    await files.deleteMany(['a.txt'])
    expect(time.pending).toBe(0)
  })

  it('inside retry bounds each try', async () => {
    const time = clock()
    const flaky = faults(memory(), { seed: 1, rules: [{ kind: 'hang', times: 2 }] })
    const files = retry(timeout(flaky, { timeoutMs: 100, timer: time.timer }), { sleep: async () => {} })
    const asked = files.exists('a.txt')
    for (let tries = 0; tries < 2; tries++) {
      await turn()
      time.advance(100)
    }
    expect(await asked).toBe(false)
  })

  it('outside retry bounds all tries together', async () => {
    const time = clock()
    const flaky = faults(memory(), { seed: 1, rules: [{ kind: 'before' }] })
    const files = timeout(retry(flaky, { sleep: never }), { timeoutMs: 100, timer: time.timer })
    const asked = files.exists('a.txt')
    await turn()
    time.advance(100)
    await expect(asked).rejects.toMatchObject(message)
  })

  it.each([{ timeoutMs: 0 }, { timeoutMs: 10, idleMs: 0 }])('refuses %o', options => {
    expect(() => timeout(memory(), options)).toThrow('timeout: ')
  })
})

describe('the time of a download', () => {
  /** Gives one chunk and then hangs. */
  const stalled = () =>
    new Download({
      info: { key: 'a', size: 6 },
      source: {
        async *chunks() {
          yield Uint8Array.of(1, 2, 3)
          await never()
        },
        cancel() {},
      },
    })

  it('gives back a body that comes when its time is over', async () => {
    const ends: string[] = []
    let answer = (_: Download) => {}
    const download = () =>
      new Promise<Download>(resolve => {
        answer = resolve
      })
    const { files, time } = hanging({ download })
    const opening = files.download('a')
    time.advance(100)
    await expect(opening).rejects.toMatchObject(message)
    const source = { async *chunks() {}, cancel: () => void ends.push('cancelled') }
    answer(new Download({ info: { key: 'a', size: 0 }, source }))
    await turn()
    expect(ends).toEqual(['cancelled'])
  })

  it('ends where the head does not come', async () => {
    const { files, time } = hanging({ download: never })
    const opening = files.download('a')
    time.advance(100)
    await expect(opening).rejects.toMatchObject({ ...message, operation: 'download' })
  })

  it('ends where a chunk does not come', async () => {
    const { files, time } = hanging({ download: async () => stalled() })
    const chunks = (await files.download('a'))[Symbol.asyncIterator]()
    await chunks.next()
    const second = chunks.next()
    await turn()
    time.advance(10)
    await expect(second).rejects.toMatchObject({ ...message, key: 'a' })
  })

  it('stands still while nobody asks for a chunk', async () => {
    const { files, time, store } = hanging({})
    await store.upload('a', new Uint8Array(200_000))
    const chunks = (await files.download('a'))[Symbol.asyncIterator]()
    await chunks.next()
    time.advance(1_000_000)
    expect((await chunks.next()).value).toHaveLength(65_536)
    await chunks.return?.()
    expect(time.pending).toBe(0)
  })
})

describe('the time of an upload', () => {
  it('begins anew with every sign of progress', async () => {
    const { files, time } = hanging({})
    const body = (async function* () {
      for (let i = 0; i < 5; i++) {
        // A body is held back by one chunk, so the first sign of progress comes with the second.
        time.advance(45)
        yield 'x'
        await turn()
      }
    })()
    expect(await files.upload('a.txt', body, { contentType: 'text/plain' })).toMatchObject({ size: 5 })
  })

  it('ends where no progress is made, after the store has cleaned up', async () => {
    const events: string[] = []
    const { files, time } = hanging({
      upload: (_, __, options) =>
        new Promise((_, reject) => {
          options!.signal!.addEventListener('abort', async () => {
            await turn()
            events.push('cleaned up')
            reject(options!.signal!.reason)
          })
        }),
    })
    const upload = files.upload('a.txt', 'a').catch(error => events.push(error.code))
    await turn()
    time.advance(100)
    await upload
    expect(events).toEqual(['cleaned up', 'timeout'])
    expect(time.pending).toBe(0)
  })

  it('ends where the clean-up hangs, too', async () => {
    const { files, time } = hanging({ upload: never })
    const upload = files.upload('a.txt', 'a')
    await turn()
    time.advance(100)
    await turn()
    time.advance(5000)
    await expect(upload).rejects.toMatchObject(message)
  })
})

describe('the time of many', () => {
  it('holds for each page of a list, not for their consumer', async () => {
    const { files, time, store } = hanging({})
    for (const key of ['a', 'b']) await store.upload(key, key)
    const entries = files.list({ pageSize: 1 })[Symbol.asyncIterator]()
    await entries.next()
    time.advance(1_000_000)
    expect(await entries.next()).toMatchObject({ value: { key: 'b' } })
  })

  it('ends a page that does not come', async () => {
    const { files, time } = hanging({
      list: () =>
        listingOf({ page: never, pages: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }) }),
    })
    const next = files.list()[Symbol.asyncIterator]().next()
    const page = files.list().page()
    await turn()
    time.advance(100)
    await expect(next).rejects.toMatchObject({ ...message, operation: 'list' })
    await expect(page).rejects.toMatchObject({ ...message, operation: 'list' })
  })

  it('begins anew with every key', async () => {
    const { files, time } = hanging({})
    const keys = (async function* () {
      for (const key of ['a', 'b', 'c']) {
        time.advance(90)
        yield { key }
        await turn()
      }
    })()
    expect(await files.deleteMany(keys)).toHaveLength(3)
  })

  it('lets one signal stand for many operations at once without a warning', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const { signal } = new AbortController()
    const files = timeout(memory(), { timeoutMs: 1_000 })
    await Promise.all(Array.from({ length: 30 }, (_, i) => files.exists(`${i}`, { signal })))
    await turn()
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it.each([-1, 0, Number.NaN])(
    'starts no timer for the wrong time limit %s, which is refused below',
    async timeoutMs => {
      const started: number[] = []
      const timer = (ms: number) => {
        started.push(ms)
        return () => {}
      }
      const files = timeout(memory(), { timeoutMs: 100, timer })
      await expect(files.info('a', { timeoutMs })).rejects.toMatchObject({ code: 'invalid-argument' })
      expect(started).toEqual([])
    },
  )
})
