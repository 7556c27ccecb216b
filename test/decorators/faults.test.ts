import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { type FaultOptions, type FaultRule, faults } from '../../src/decorators/index.ts'

async function failing(rule: FaultRule) {
  const store = memory()
  await store.upload('a', 'bytes of a')
  return { store, files: faults(store, { seed: 1, rules: [rule] }) }
}

describe('a fault', () => {
  it('before the effect leaves nothing done', async () => {
    const { store, files } = await failing({ kind: 'before' })
    await expect(files.delete('a')).rejects.toMatchObject({
      code: 'unavailable',
      key: 'a',
      operation: 'delete',
    })
    await expect(files.upload('b', 'b')).rejects.toMatchObject({ code: 'unavailable' })
    expect([await store.exists('a'), await store.exists('b')]).toEqual([true, false])
  })

  it.each([
    ['after', 'unavailable'],
    ['lost-answer', 'timeout'],
  ] as const)('%s leaves it done', async (kind, code) => {
    const { store, files } = await failing({ kind })
    await expect(files.upload('b', 'b')).rejects.toMatchObject({ code })
    await expect(files.move('b', 'c')).rejects.toMatchObject({ code })
    await expect(files.delete('a')).rejects.toMatchObject({ code })
    expect([await store.exists('a'), await store.exists('c')]).toEqual([false, true])
  })

  it('that was asked for does not hide that the operation itself fails', async () => {
    const { files } = await failing({ kind: 'after' })
    await expect(files.info('missing')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('cuts a download in its middle', async () => {
    const { store, files } = await failing({ kind: 'cut' })
    await store.upload('big', new Uint8Array(300_000))
    const download = await files.download('big')
    let read = 0
    const reading = (async () => {
      for await (const chunk of download) read += chunk.length
    })()
    await expect(reading).rejects.toMatchObject({ code: 'unavailable' })
    expect(read).toBeLessThan(300_000)
  })

  it.each([
    ['a string', () => 'a new body'],
    ['a Blob', () => new Blob(['a new body'])],
    ['a stream', () => new Blob(['a new body']).stream() as ReadableStream<Uint8Array>],
  ])('cuts an upload of %s, which then stores nothing', async (_, body) => {
    const { store, files } = await failing({ kind: 'cut' })
    await expect(files.upload('a', body())).rejects.toMatchObject({ code: 'unavailable' })
    expect(await (await store.download('a')).text()).toBe('bytes of a')
  })

  it('cuts a list within a page', async () => {
    const { store, files } = await failing({ kind: 'cut', after: 1 })
    for (const key of ['b', 'c', 'd', 'e']) await store.upload(key, key)
    const listed: string[] = []
    const listing = (async () => {
      for await (const entry of files.list({ pageSize: 2 }))
        if (entry.kind === 'object') listed.push(entry.key)
    })()
    await expect(listing).rejects.toMatchObject({ code: 'unavailable', operation: 'list' })
    expect(listed).toEqual(['a', 'b', 'c'])
  })

  it('cuts a move between copy and delete', async () => {
    const { store, files } = await failing({ kind: 'cut' })
    await expect(files.move('a', 'b')).rejects.toMatchObject({ code: 'unavailable' })
    expect([await store.exists('a'), await store.exists('b')]).toEqual([true, true])
  })

  it('cuts a delete of many after half of the keys', async () => {
    const { store, files } = await failing({ kind: 'cut' })
    await store.upload('b', 'b')
    expect((await files.deleteMany(['a', 'b'])).map(result => result.status)).toEqual(['deleted', 'error'])
    expect([await store.exists('a'), await store.exists('b')]).toEqual([false, true])
  })

  it('loses the answers of a delete of many key by key', async () => {
    const { store, files } = await failing({ kind: 'lost-answer' })
    expect(await files.deleteMany(['a'])).toMatchObject([
      { key: 'a', status: 'error', error: { code: 'timeout' } },
    ])
    expect(await store.exists('a')).toBe(false)
  })

  it('hangs until the caller ends it', async () => {
    const { files } = await failing({ kind: 'hang' })
    await expect(files.info('a', { timeoutMs: 5 })).rejects.toMatchObject({ code: 'timeout' })
    const stop = new AbortController()
    const asked = files.info('a', { signal: stop.signal })
    stop.abort()
    await expect(asked).rejects.toMatchObject({ code: 'aborted' })
  })

  it('has the code and the wait that its rule gives', async () => {
    const { files } = await failing({ kind: 'before', code: 'rate-limited', retryAfterMs: 500 })
    await expect(files.info('a')).rejects.toMatchObject({ code: 'rate-limited', retryAfterMs: 500 })
  })
})

describe('a rule', () => {
  it('lets calls through first, and fails so many times', async () => {
    const { files } = await failing({ kind: 'before', operations: ['exists'], after: 2, times: 1 })
    const outcomes: boolean[] = []
    for (let call = 0; call < 5; call++) outcomes.push(await files.exists('a').catch(() => false))
    expect(outcomes).toEqual([true, true, false, true, true])
  })

  it('holds for its operations and keys only', async () => {
    const { files } = await failing({ kind: 'before', operations: ['info'], key: /^b/ })
    expect(await files.info('a')).toMatchObject({ key: 'a' })
    expect(await files.exists('b')).toBe(false)
    await expect(files.info('b')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it.each<FaultOptions>([
    { seed: 0.5 },
    { seed: 1, rate: 2 },
    { seed: 1, rules: [{ kind: 'sometimes' as 'cut' }] },
    { seed: 1, rules: [{ kind: 'cut', operations: ['info'] }] },
    { seed: 1, rules: [{ kind: 'before', code: 'broken' as 'internal' }] },
    { seed: 1, rules: [{ kind: 'before', opertaions: ['info'] } as FaultRule] },
  ])('is refused: %j', options => {
    expect(() => faults(memory(), options)).toThrow('faults: ')
  })
})

describe('the same seed', () => {
  async function run(seed: number) {
    const files = faults(memory(), { seed, rate: 0.3 })
    for (let i = 0; i < 40; i++) {
      await files.upload(`k${i}`, 'x').catch(() => {})
      await files.delete(`k${i}`).catch(() => {})
    }
    return files.faults.log
  }

  it('gives the same faults', async () => {
    const log = await run(7)
    expect(log).toEqual(await run(7))
    expect(log).not.toEqual(await run(8))
    expect(log.length).toBeGreaterThan(10)
    expect(log.length).toBeLessThan(40)
    expect(new Set(log.map(fault => fault.kind))).toEqual(new Set(['before', 'after', 'lost-answer', 'cut']))
  })
})

describe('the log', () => {
  it('names every fault with its call', async () => {
    const { files } = await failing({ kind: 'before', times: 1, after: 1 })
    await files.exists('a')
    await files.info('a').catch(() => {})
    await files.info('a')
    expect(files.faults.log).toEqual([{ operation: 'info', kind: 'before', key: 'a', call: 1 }])
  })

  it('stays as it is while faults are off', async () => {
    const { files } = await failing({ kind: 'before' })
    files.faults.enabled = false
    expect(await files.exists('a')).toBe(true)
    expect(files.faults.log).toEqual([])
  })
})
