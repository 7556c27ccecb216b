import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { type FaultRule, faults, forward, type RetryOptions, retry } from '../../src/decorators/index.ts'

/** Memory that fails by `rules`, retried without waiting; `waits` are the milliseconds it would have waited. */
function flaky(rules: FaultRule[], options: RetryOptions = {}, store: StorageProvider = memory()) {
  const waits: number[] = []
  const failing = faults(store, { seed: 1, rules })
  const files = retry(failing, {
    random: () => 1,
    sleep: async ms => void waits.push(ms),
    ...options,
  })
  return { store, files, waits, log: failing.faults.log }
}

const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => i % 251)

describe('retry', () => {
  it('tries again, waiting twice as long each time, until it succeeds', async () => {
    const { files, waits } = flaky([{ kind: 'before', times: 3 }])
    await files.upload('a.txt', 'a')
    expect(waits).toEqual([100, 200, 400])
  })

  it('never waits longer than maxDelayMs', async () => {
    const { files, waits } = flaky([{ kind: 'before', times: 3 }], { minDelayMs: 100, maxDelayMs: 150 })
    await files.exists('a.txt')
    expect(waits).toEqual([100, 150, 150])
  })

  it('spreads its waits at random from zero', async () => {
    const { files, waits } = flaky([{ kind: 'before', times: 1 }], { random: () => 0 })
    await files.exists('a.txt')
    expect(waits).toEqual([0])
  })

  it('gives up after the last attempt with the error of that', async () => {
    const { files, waits } = flaky([{ kind: 'before' }], { attempts: 2 })
    await expect(files.info('a.txt')).rejects.toMatchObject({ code: 'unavailable', operation: 'info' })
    expect(waits).toHaveLength(1)
  })

  it('does not repeat what another try cannot cure', async () => {
    const { files, waits } = flaky([{ kind: 'before', code: 'permission-denied' }])
    await expect(files.info('a.txt')).rejects.toMatchObject({ code: 'permission-denied' })
    expect(waits).toEqual([])
  })

  it('waits at least as long as the store asks for', async () => {
    const rule: FaultRule = { kind: 'before', code: 'rate-limited', retryAfterMs: 3000, times: 1 }
    const { files, waits } = flaky([rule], { random: () => 0 })
    await files.exists('a.txt')
    expect(waits).toEqual([3000])
  })

  it('does not wait where the store asks for more than maxDelayMs', async () => {
    const { files, waits } = flaky([{ kind: 'before', code: 'rate-limited', retryAfterMs: 60_000 }])
    await expect(files.exists('a.txt')).rejects.toMatchObject({ code: 'rate-limited', retryAfterMs: 60_000 })
    expect(waits).toEqual([])
  })

  it('tells of every try that follows, and survives a listener that throws', async () => {
    const told: unknown[] = []
    const { files } = flaky([{ kind: 'before', times: 1 }], {
      onRetry: event => {
        told.push([event.operation, event.key, event.attempt, event.delayMs, event.error.code])
        throw new Error('a bug of the listener')
      },
    })
    await files.exists('a.txt')
    expect(told).toEqual([['exists', 'a.txt', 2, 100, 'unavailable']])
  })

  it('ends a wait with the signal, and says what it waited for', async () => {
    const stop = new AbortController()
    const { files } = flaky([{ kind: 'before' }], { sleep: () => new Promise(() => stop.abort()) })
    const error = await files.info('a.txt', { signal: stop.signal }).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'aborted', key: 'a.txt', cause: { code: 'unavailable' } })
  })

  it('counts timeoutMs over all tries', async () => {
    const { files } = flaky([{ kind: 'before' }], { sleep: () => new Promise(() => {}) })
    await expect(files.info('a.txt', { timeoutMs: 5 })).rejects.toMatchObject({ code: 'timeout' })
  })

  it('is refused around another retry', () => {
    expect(() => retry(retry(memory()))).toThrow('multiply')
  })

  it.each([{ attempts: 0 }, { attempts: 1.5 }, { minDelayMs: -1 }, { minDelayMs: 5, maxDelayMs: 1 }])(
    'refuses %o',
    options => {
      expect(() => retry(memory(), options)).toThrow(StorageError)
    },
  )

  it('refuses an option that it does not know', () => {
    expect(() => retry(memory(), { attempst: 3 } as RetryOptions)).toThrow("unknown option 'attempst'")
  })
})

describe('a retried upload', () => {
  const lost: FaultRule[] = [{ kind: 'lost-answer', operations: ['upload'], times: 1 }]

  it.each([
    ['a string', 'hello'],
    ['bytes', Buffer.from('hello')],
    ['a Blob', new Blob(['hello'])],
    ['an ArrayBuffer', Uint8Array.from(Buffer.from('hello')).buffer],
  ])('sends %s again', async (_, body) => {
    const { files, store } = flaky([{ kind: 'cut', operations: ['upload'], times: 2 }])
    await files.upload('a.txt', body)
    expect(await (await store.download('a.txt')).text()).toBe('hello')
  })

  it('never sends a stream again', async () => {
    const { files, log } = flaky([{ kind: 'before', operations: ['upload'], times: 1 }])
    const body = new Blob(['hello']).stream() as ReadableStream<Uint8Array>
    await expect(files.upload('a.txt', body)).rejects.toMatchObject({ code: 'unavailable' })
    expect(log).toHaveLength(1)
  })

  it('that created its object before the answer was lost is done', async () => {
    const { files, store } = flaky(lost)
    const info = await files.upload('a.txt', 'mine', { ifNoneMatch: '*' })
    expect(info).toEqual(await store.info('a.txt'))
  })

  it('that replaced its object before the answer was lost is done', async () => {
    const { files, store } = flaky(lost)
    const { etag } = await store.upload('a.txt', 'old')
    const info = await files.upload('a.txt', new Blob(['mine']), { ifMatch: etag })
    expect(info).toEqual(await store.info('a.txt'))
  })

  it('is compared by its bytes where the store has no checksum of them', async () => {
    const store = memory()
    const plain = forward(store, {
      info: async (key, options) => ({ ...(await store.info(key, options)), checksum: undefined }),
    })
    const { files } = flaky(lost, {}, plain)
    await expect(files.upload('a.txt', 'mine', { ifNoneMatch: '*' })).resolves.toMatchObject({ size: 4 })
  })

  it('is refused where another has created the object', async () => {
    const { files, store } = flaky([{ kind: 'before', operations: ['upload'], times: 1 }])
    await store.upload('a.txt', 'his!')
    await expect(files.upload('a.txt', 'mine', { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'already-exists',
    })
  })

  it('is refused where another has created it with the same bytes and other metadata', async () => {
    const { files, store } = flaky([{ kind: 'before', operations: ['upload'], times: 1 }])
    await store.upload('lock', '', { metadata: { owner: 'him' } })
    const mine = files.upload('lock', '', { ifNoneMatch: '*', metadata: { owner: 'me' } })
    await expect(mine).rejects.toMatchObject({ code: 'already-exists' })
  })

  it('is refused without a look where no answer was lost', async () => {
    const { files, store } = flaky([
      { kind: 'before', code: 'rate-limited', operations: ['upload'], times: 1 },
    ])
    await store.upload('a.txt', 'mine')
    await expect(files.upload('a.txt', 'mine', { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'already-exists',
    })
  })

  it('says that the outcome is open where it cannot look', async () => {
    const { files } = flaky([...lost, { kind: 'before', operations: ['info'] }])
    await expect(files.upload('a.txt', 'mine', { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})

describe('a retried delete', () => {
  it('says gone where a lost try may have deleted it', async () => {
    const { files, store } = flaky([{ kind: 'lost-answer', operations: ['delete'], times: 1 }])
    await store.upload('a.txt', 'a')
    expect(await files.delete('a.txt')).toEqual({ key: 'a.txt', status: 'gone' })
  })

  it('says gone under ifMatch, too', async () => {
    const { files, store } = flaky([{ kind: 'lost-answer', operations: ['delete'], times: 1 }])
    const { etag } = await store.upload('a.txt', 'a')
    expect(await files.delete('a.txt', { ifMatch: etag })).toEqual({ key: 'a.txt', status: 'gone' })
  })

  it('says missing where every failed try was refused', async () => {
    const { files } = flaky([{ kind: 'before', code: 'rate-limited', operations: ['delete'], times: 1 }])
    expect(await files.delete('a.txt')).toEqual({ key: 'a.txt', status: 'missing' })
  })

  it('of many asks again for the failed keys only', async () => {
    const asked: unknown[][] = []
    const store = memory()
    const seen = forward(store, {
      deleteMany(keys, options) {
        asked.push([...(keys as Iterable<unknown>)])
        return store.deleteMany(keys, options)
      },
    })
    for (const key of ['a', 'b', 'c', 'd']) await store.upload(key, key)
    const { files } = flaky([{ kind: 'cut', operations: ['deleteMany'], times: 1 }], {}, seen)
    const results = await files.deleteMany(['a', 'b', 'c', 'd', 'a/../x'])
    expect(results.map(result => result.status)).toEqual([
      'deleted',
      'deleted',
      'deleted',
      'deleted',
      'error',
    ])
    expect(asked).toEqual([
      ['a', 'b', 'c'],
      ['d', 'a/../x'],
    ])
  })

  it('of many says gone for keys whose answer was lost', async () => {
    const { files, store } = flaky([{ kind: 'lost-answer', operations: ['deleteMany'], times: 1 }])
    await store.upload('a', 'a')
    expect(await files.deleteMany(['a', 'b'])).toEqual([
      { key: 'a', status: 'gone' },
      { key: 'b', status: 'gone' },
    ])
  })

  it('of many gives the errors that stay', async () => {
    const { files } = flaky([{ kind: 'before', operations: ['deleteMany'] }], { attempts: 2 })
    expect(await files.deleteMany(['a'])).toMatchObject([{ key: 'a', status: 'error' }])
  })
})

describe('a retried copy or move', () => {
  const lostMove: FaultRule[] = [{ kind: 'lost-answer', operations: ['move'], times: 1 }]

  it('move is done where a lost try has moved it', async () => {
    const { files, store } = flaky(lostMove)
    await store.upload('a', 'bytes')
    expect(await files.move('a', 'b')).toEqual(await store.info('b'))
    expect(await store.exists('a')).toBe(false)
  })

  it('move ends what was copied and not deleted', async () => {
    const { files, store } = flaky([{ kind: 'cut', operations: ['move'], times: 1 }])
    await store.upload('a', 'bytes')
    await files.move('a', 'b', { ifNoneMatch: '*' })
    expect(await store.exists('a')).toBe(false)
    expect(await (await store.download('b')).text()).toBe('bytes')
  })

  it('move of what was never there is not-found, whatever lies at the destination', async () => {
    const { files, store } = flaky([{ kind: 'before', operations: ['move'], times: 1 }])
    await store.upload('b', 'bytes')
    await expect(files.move('a', 'b')).rejects.toMatchObject({ code: 'not-found', operation: 'move' })
  })

  it('move leaves a source that another has stored since', async () => {
    const store = memory()
    const raced = forward(store, {
      async move(from, to, options) {
        const info = await store.move(from, to, options)
        await store.upload(from, 'of another')
        return info
      },
    })
    await store.upload('a', 'bytes')
    const { files } = flaky(lostMove, {}, raced)
    await files.move('a', 'b')
    expect(await (await store.download('a')).text()).toBe('of another')
    expect(await (await store.download('b')).text()).toBe('bytes')
  })

  it('copy that created its destination before the answer was lost is done', async () => {
    const { files, store } = flaky([{ kind: 'lost-answer', operations: ['copy'], times: 1 }])
    await store.upload('a', 'bytes')
    expect(await files.copy('a', 'b', { ifNoneMatch: '*' })).toEqual(await store.info('b'))
  })

  it('copy onto itself under ifMatch does not call a lost answer a failed condition', async () => {
    const { files, store } = flaky([{ kind: 'lost-answer', operations: ['copy'], times: 1 }])
    const { etag } = await store.upload('a', 'bytes')
    const edit = files.copy('a', 'a', { ifMatch: etag, metadata: { by: 'me' } })
    await expect(edit).rejects.toMatchObject({ code: 'timeout' })
  })
})

describe('a retried list', () => {
  const keys = Array.from({ length: 10 }, (_, i) => `k/${i}`)

  it('goes on behind its last entry, repeating and skipping nothing', async () => {
    const { files, store, log } = flaky([{ kind: 'cut', operations: ['list'], rate: 0.5 }], { attempts: 50 })
    for (const key of keys) await store.upload(key, key)
    const listed: string[] = []
    for await (const entry of files.list({ prefix: 'k/', pageSize: 3 })) {
      if (entry.kind === 'object') listed.push(entry.key)
    }
    expect(listed).toEqual(keys)
    expect(log.length).toBeGreaterThan(1)
  })

  it('goes on behind a folded prefix', async () => {
    const { files, store } = flaky([{ kind: 'cut', operations: ['list'], rate: 0.5 }], { attempts: 50 })
    for (const key of ['a/1', 'a/2', 'b/1', 'c', 'd/1', 'd/2']) await store.upload(key, key)
    const names: string[] = []
    for await (const entry of files.list({ delimiter: '/', pageSize: 2 }))
      names.push(entry.kind === 'object' ? entry.key : entry.prefix)
    expect(names).toEqual(['a/', 'b/', 'c', 'd/'])
  })

  it('fails where a page fails for good', async () => {
    const { files } = flaky([{ kind: 'before', operations: ['list'] }], { attempts: 2 })
    const all = (async () => {
      for await (const _ of files.list());
    })()
    await expect(all).rejects.toMatchObject({ code: 'unavailable', operation: 'list' })
  })
})

describe('a retried download', () => {
  const size = 5 * 1024 * 1024
  const cut = (times: number): FaultRule => ({ kind: 'cut', operations: ['download'], times })

  it('goes on from the byte at which it broke off', async () => {
    const ranges: unknown[] = []
    const store = memory()
    const seen = forward(store, {
      download(key, options) {
        ranges.push(options?.range)
        return store.download(key, options)
      },
    })
    await store.upload('big', bytes(size))
    const { files } = flaky([cut(2)], {}, seen)
    const progress: number[] = []
    const download = await files.download('big', { onProgress: ({ loaded }) => progress.push(loaded) })
    expect(Buffer.compare(await download.bytes(), bytes(size))).toBe(0)
    expect(ranges).toHaveLength(3)
    expect(ranges[1]).toMatchObject({ offset: expect.any(Number) })
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  })

  it('goes on within a range', async () => {
    const { files, store } = flaky([cut(2)])
    await store.upload('a', bytes(300_000))
    const download = await files.download('a', { range: { offset: 1000, length: 200_000 } })
    const chunks: Uint8Array[] = []
    for await (const chunk of download) chunks.push(chunk)
    expect(Buffer.compare(Buffer.concat(chunks), bytes(300_000).subarray(1000, 201_000))).toBe(0)
  })

  it('goes on without the memory that the caller gave: the first bytes are in it already', async () => {
    const store = memory()
    await store.upload('a', bytes(300_000))
    const given: unknown[] = []
    const seen = forward(store, {
      download(key, options) {
        given.push(options?.into)
        return store.download(key, options)
      },
    })
    const { files } = flaky([cut(1)], {}, seen)
    const into = new Uint8Array(200_000)
    const download = await files.download('a', { range: { offset: 1000, length: 200_000 }, into })
    expect(Buffer.compare(await download.bytes(), bytes(300_000).subarray(1000, 201_000))).toBe(0)
    expect(given).toEqual([into, undefined])
  })

  it('reads a small body as a whole again', async () => {
    const { files, store } = flaky([cut(3)])
    await store.upload('a', 'some text')
    expect(await (await files.download('a')).text()).toBe('some text')
  })

  it('shares its attempts between opening and reading', async () => {
    const { files, store, log } = flaky([{ kind: 'before', operations: ['download'], times: 2 }, cut(9)])
    await store.upload('a', 'some text')
    await expect((await files.download('a')).text()).rejects.toMatchObject({ code: 'unavailable' })
    expect(log.map(fault => fault.kind)).toEqual(['before', 'before', 'cut', 'cut'])
  })

  it('fails, and splices nothing, where the object is replaced meanwhile', async () => {
    const store = memory()
    await store.upload('a', bytes(200_000))
    const { files } = flaky([cut(1)], { sleep: () => store.upload('a', bytes(200_000)) }, store)
    const chunks = (await files.download('a'))[Symbol.asyncIterator]()
    const all = (async () => {
      while (!(await chunks.next()).done);
    })()
    await expect(all).rejects.toMatchObject({ code: 'conflict', key: 'a', retryable: true })
  })

  it('fails where the store keeps no condition on reads', async () => {
    const store = memory()
    await store.upload('a', 'some text')
    const without = forward(store, {
      get capabilities() {
        return { ...store.capabilities, conditionalRead: false }
      },
    })
    const { files, waits } = flaky([cut(1)], {}, without)
    await expect((await files.download('a')).text()).rejects.toMatchObject({ code: 'unavailable' })
    expect(waits).toEqual([])
  })

  it('that is given back while it waits opens nothing any more', async () => {
    const store = memory()
    await store.upload('a', bytes(200_000))
    let waiting = () => {}
    const waits = new Promise<void>(resolve => {
      waiting = resolve
    })
    const { files, log } = flaky([cut(9)], { sleep: () => new Promise(() => waiting()) }, store)
    const download = await files.download('a')
    const reading = (async () => {
      for await (const _ of download);
    })().catch(() => {})
    await waits
    download.cancel()
    await reading
    expect(log).toHaveLength(1)
  })
})
