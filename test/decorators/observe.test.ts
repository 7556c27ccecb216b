import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { isStorageError } from '../../src/core/errors.ts'
import { faults, type OperationEvent, observe, retry } from '../../src/decorators/index.ts'

/** Observed memory; each look at the clock is 10 ms later. */
function observed(store = memory()) {
  const events: OperationEvent[] = []
  let now = 0
  const files = observe(store, event => events.push(event), {
    now: () => {
      now += 10
      return now
    },
  })
  return { files, events, last: () => events.at(-1) }
}

describe('observe', () => {
  it('tells of an upload with its bytes and duration', async () => {
    const { files, events } = observed()
    await files.upload('a.txt', 'hello')
    expect(events).toEqual([
      { operation: 'upload', provider: 'memory', key: 'a.txt', outcome: 'ok', bytesSent: 5, durationMs: 10 },
    ])
  })

  it('tells of a failure with its code and error', async () => {
    const { files, last } = observed()
    await files.info('a.txt').catch(() => {})
    expect(last()).toMatchObject({ operation: 'info', outcome: 'not-found', key: 'a.txt' })
    expect(isStorageError(last()!.error, 'not-found')).toBe(true)
  })

  it('counts what a failed upload has sent', async () => {
    const { files, last } = observed()
    const body = (async function* () {
      yield 'some'
      yield 'more'
      throw new Error('the source broke')
    })()
    await files.upload('a.txt', body).catch(() => {})
    expect(last()).toMatchObject({ operation: 'upload', outcome: 'aborted', bytesSent: 4 })
  })

  it('passes the progress on to its caller', async () => {
    const loaded: number[] = []
    await observed().files.upload('a.txt', 'hello', { onProgress: progress => loaded.push(progress.loaded) })
    expect(loaded).toEqual([5])
  })

  it('tells of a download when its body has ended', async () => {
    const { files, events, last } = observed()
    await files.upload('a.txt', 'hello')
    const download = await files.download('a.txt')
    expect(events).toHaveLength(1)
    await download.text()
    expect(last()).toMatchObject({ operation: 'download', outcome: 'ok', bytesReceived: 5 })
  })

  it('tells of a download that is read in part', async () => {
    const { files, last } = observed()
    await files.upload('a.bin', new Uint8Array(200_000))
    for await (const _ of await files.download('a.bin')) break
    expect(last()).toMatchObject({ operation: 'download', outcome: 'ok', bytesReceived: 65_536 })
  })

  it('tells of a download that breaks off', async () => {
    const store = memory()
    const { files, last } = observed(faults(store, { seed: 1, rules: [{ kind: 'cut' }] }) as never)
    await store.upload('a.bin', new Uint8Array(200_000))
    await (await files.download('a.bin')).bytes().catch(() => {})
    expect(last()).toMatchObject({ operation: 'download', outcome: 'unavailable' })
  })

  it('tells of each page of a list', async () => {
    const { files, events } = observed()
    for (const key of ['p/a', 'p/b', 'p/c']) await files.upload(key, key)
    events.length = 0
    for await (const _ of files.list({ prefix: 'p/', pageSize: 2 }));
    await files.list({ prefix: 'p/' }).page({ limit: 1 })
    for await (const _ of files.list({ prefix: 'q/' }));
    expect(events.map(({ operation, prefix, count }) => [operation, prefix, count])).toEqual([
      ['list', 'p/', 2],
      ['list', 'p/', 1],
      ['list', 'p/', 1],
      ['list', 'q/', 0],
    ])
  })

  it('counts the keys of a call for many, and those that failed', async () => {
    const { files, last } = observed()
    await files.upload('a', 'a')
    await files.infoMany(['a', 'b', '..'])
    expect(last()).toMatchObject({ operation: 'infoMany', outcome: 'ok', count: 3, failed: 2 })
  })

  it('names source and destination', async () => {
    const { files, last } = observed()
    await files.upload('a', 'a')
    await files.move('a', 'b')
    expect(last()).toMatchObject({ operation: 'move', key: 'a', to: 'b' })
  })

  it('sees operations around retry and tries inside it', async () => {
    const outside: OperationEvent[] = []
    const inside: OperationEvent[] = []
    const flaky = faults(memory(), { seed: 1, rules: [{ kind: 'before', times: 2 }] })
    const files = observe(
      retry(
        observe(flaky, event => inside.push(event)),
        { sleep: async () => {} },
      ),
      event => outside.push(event),
    )
    await files.exists('a')
    expect(inside.map(event => event.outcome)).toEqual(['unavailable', 'unavailable', 'ok'])
    expect(outside.map(event => event.outcome)).toEqual(['ok'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('a bug of the observer')
      },
    ],
    ['rejects', () => Promise.reject(new Error('a bug of the observer'))],
    [
      'throws when it is told of the start',
      {
        start() {
          throw new Error('a bug of the observer')
        },
      },
    ],
    [
      'throws before and after it begins the operation',
      {
        start: () => ({
          within(work: () => void) {
            work()
            throw new Error('a bug of the observer')
          },
          end() {
            throw new Error('a bug of the observer')
          },
        }),
      },
    ],
    ['never begins the operation', { start: () => ({ within() {}, end() {} }) }],
  ])('is not disturbed by an observer that %s', async (_, observer) => {
    const files = observe(memory(), observer)
    await files.upload('a.txt', 'hello')
    expect(await (await files.download('a.txt')).text()).toBe('hello')
    expect(await files.list().page()).toMatchObject({ items: [{ key: 'a.txt' }] })
  })
})
