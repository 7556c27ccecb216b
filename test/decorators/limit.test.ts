import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { forward, limit, prefix, retry } from '../../src/decorators/index.ts'

/** Memory whose `info` waits until it is let go; `running` are the keys of those under way. */
function held() {
  const store = memory()
  const running: string[] = []
  const letGo = new Map<string, () => void>()
  const inner = forward(store, {
    info: (key, options) =>
      new Promise((resolve, reject) => {
        running.push(key)
        letGo.set(key, () => {
          running.splice(running.indexOf(key), 1)
          store.info(key, options).then(resolve, reject)
        })
      }),
  })
  return { store, inner, running, letGo: (key: string) => letGo.get(key)!() }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

describe('limit', () => {
  it('lets so many operations run at once and the others wait in line, first come, first served', async () => {
    const { inner, running, letGo } = held()
    const files = limit(inner, { concurrency: 2 })
    const all = ['a', 'b', 'c', 'd'].map(key => files.info(key).catch(error => error.code))
    await turn()
    expect(running).toEqual(['a', 'b'])
    letGo('b')
    await turn()
    expect(running).toEqual(['a', 'c'])
    letGo('a')
    await turn()
    letGo('c')
    letGo('d')
    expect(await Promise.all(all)).toEqual(Array(4).fill('not-found'))
  })

  it('takes out of the line what is aborted there', async () => {
    const { inner, running, letGo } = held()
    const files = limit(inner, { concurrency: 1 })
    const first = files.info('a').catch(() => {})
    const stop = new AbortController()
    const second = files.info('b', { signal: stop.signal })
    const third = files.info('c').catch(() => {})
    stop.abort()
    await expect(second).rejects.toMatchObject({ code: 'aborted', key: 'b', operation: 'info' })
    letGo('a')
    await turn()
    expect(running).toEqual(['c'])
    letGo('c')
    await Promise.all([first, third])
  })

  it('counts the time in line for timeoutMs', async () => {
    const { inner, letGo } = held()
    const files = limit(inner, { concurrency: 1 })
    const first = files.info('a').catch(() => {})
    await expect(files.info('b', { timeoutMs: 5 })).rejects.toMatchObject({ code: 'timeout' })
    letGo('a')
    await first
  })

  it('refuses one more than may wait', async () => {
    const { inner, letGo } = held()
    const files = limit(inner, { concurrency: 1, maxQueue: 0 })
    const first = files.info('a').catch(() => {})
    await turn()
    await expect(files.info('b')).rejects.toMatchObject({ code: 'rate-limited', retryable: true })
    letGo('a')
    await first
  })

  it.each([{ concurrency: 0 }, { concurrency: 1.5 }, { concurrency: 1, maxQueue: -1 }])(
    'refuses %o',
    options => {
      expect(() => limit(memory(), options)).toThrow('limit: ')
    },
  )

  it('is refused around retry, and around another limit unless a prefix is between them', () => {
    expect(() => limit(retry(memory()), { concurrency: 1 })).toThrow('inside retry')
    const one = limit(memory(), { concurrency: 2 })
    expect(() => limit(one, { concurrency: 1 })).toThrow('limit below')
    expect(limit(prefix(one, 'tenant/'), { concurrency: 1 }).capabilities.layers).toEqual([
      'limit',
      'prefix',
      'limit',
    ])
  })
})

describe('the permit of a download', () => {
  async function oneOpen() {
    const files = limit(memory(), { concurrency: 1 })
    await files.upload('a.txt', 'some text')
    const download = await files.download('a.txt')
    const waiting = files.exists('a.txt')
    let through = false
    void waiting.then(() => {
      through = true
    })
    await turn()
    expect(through).toBe(false)
    return { files, download, waiting }
  }

  it('is held until its body has been read', async () => {
    const { download, waiting } = await oneOpen()
    await download.text()
    expect(await waiting).toBe(true)
  })

  it('is held until a reader stops early', async () => {
    const { download, waiting } = await oneOpen()
    for await (const _ of download) break
    expect(await waiting).toBe(true)
  })

  it('is held until its body is given back', async () => {
    const { download, waiting } = await oneOpen()
    download.cancel()
    expect(await waiting).toBe(true)
  })

  it('is held until its web stream is cancelled unread', async () => {
    const { download, waiting } = await oneOpen()
    await download.stream().cancel()
    expect(await waiting).toBe(true)
  })

  it('is given back when its signal ends, though nobody reads', async () => {
    const files = limit(memory(), { concurrency: 1 })
    await files.upload('a.txt', 'some text')
    const stop = new AbortController()
    const download = await files.download('a.txt', { signal: stop.signal })
    stop.abort()
    expect(await files.exists('a.txt')).toBe(true)
    await expect(download.text()).rejects.toMatchObject({ code: 'aborted' })
  })

  it('is given back when it cannot be opened', async () => {
    const files = limit(memory(), { concurrency: 1 })
    await expect(files.download('a.txt')).rejects.toMatchObject({ code: 'not-found' })
    expect(await files.exists('a.txt')).toBe(false)
  })
})

describe('with one permit', () => {
  it('a list leaves it to others between two pages', async () => {
    const files = limit(memory(), { concurrency: 1 })
    for (const key of ['a', 'b', 'c']) await files.upload(key, key)
    const deleted: string[] = []
    for await (const entry of files.list({ pageSize: 1 })) {
      if (entry.kind !== 'object') continue
      deleted.push((await files.delete(entry.key)).status)
    }
    expect(deleted).toEqual(['deleted', 'deleted', 'deleted'])
  })

  it('what a list of the same provider names can be deleted', async () => {
    const files = limit(memory(), { concurrency: 1 })
    for (const key of ['a', 'b', 'c']) await files.upload(key, key)
    const results = await files.deleteMany(files.list({ pageSize: 1 }))
    expect(results.map(result => result.status)).toEqual(['deleted', 'deleted', 'deleted'])
  })

  it('keys of a source that hangs end with the signal', async () => {
    const files = limit(memory(), { concurrency: 1 })
    const hanging = (async function* () {
      await new Promise(() => {})
      yield 'a'
    })()
    await expect(files.infoMany(hanging, { timeoutMs: 5 })).rejects.toMatchObject({ code: 'timeout' })
  })
})
