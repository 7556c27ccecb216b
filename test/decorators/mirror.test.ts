import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { Capabilities } from '../../src/core/capabilities.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import {
  faults,
  forward,
  type MirrorFailure,
  type MirrorOptions,
  mirror,
  retry,
} from '../../src/decorators/index.ts'
import { refused } from '../support/refused.ts'

/** A mirror of two memories, each of which can be made to fail. */
function mirrored(options: Partial<MirrorOptions> = {}) {
  const stores = { primary: memory(), replica: memory() }
  const primary = faults(stores.primary, { seed: 1, rules: [{ kind: 'before' }] })
  const replica = faults(stores.replica, { seed: 1, rules: [{ kind: 'before' }] })
  primary.faults.enabled = false
  replica.faults.enabled = false
  const failures: MirrorFailure[] = []
  const files = mirror(primary, replica, { onFailure: failure => failures.push(failure), ...options })
  return { files, primary, replica, stores, failures }
}

async function contentOf(store: StorageProvider): Promise<Record<string, string>> {
  const content: Record<string, string> = {}
  for await (const entry of store.list())
    if (entry.kind === 'object') content[entry.key] = await (await store.download(entry.key)).text()
  return content
}

describe('mirror writes', () => {
  it('to the replica what the primary has, with its attributes, when the promise resolves', async () => {
    const { files, stores } = mirrored()
    await files.upload('a.txt', 'a', { cacheControl: 'no-store', metadata: { who: 'me' } })
    const copy = await stores.replica.info('a.txt')
    expect(copy).toMatchObject({
      size: 1,
      contentType: 'text/plain',
      cacheControl: 'no-store',
      metadata: { who: 'me' },
    })
    await files.copy('a.txt', 'b.txt')
    await files.move('b.txt', 'c.txt')
    expect(await contentOf(stores.replica)).toEqual({ 'a.txt': 'a', 'c.txt': 'a' })
    await files.delete('a.txt')
    expect(await contentOf(stores.replica)).toEqual({ 'c.txt': 'a' })
    await files.deleteMany(['c.txt', 'never-was'])
    expect(await contentOf(stores.replica)).toEqual({})
  })

  it('a stream, which is read once', async () => {
    const { files, stores } = mirrored()
    await files.upload(
      'a',
      (async function* () {
        yield 'one '
        yield 'two'
      })(),
    )
    expect(await contentOf(stores.replica)).toEqual({ a: 'one two' })
  })

  it('a large object as a stream, and its checksum is verified', async () => {
    const { files, stores } = mirrored()
    const bytes = new Uint8Array(2 ** 20 + 1).fill(7)
    await files.upload('large', bytes)
    const [one, other] = await Promise.all([stores.primary.info('large'), stores.replica.info('large')])
    expect(other).toMatchObject({ size: bytes.length, checksum: one.checksum })
  })

  it('nothing to the replica where the primary refuses', async () => {
    const { files, stores, failures } = mirrored()
    await files.upload('a', '1')
    await expect(files.upload('a', '2', { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'already-exists',
    })
    expect([await contentOf(stores.replica), failures]).toEqual([{ a: '1' }, []])
  })

  it('with success while the replica is down, and tells the key', async () => {
    const { files, replica, stores, failures } = mirrored()
    replica.faults.enabled = true
    await files.upload('a', 'a')
    expect(failures).toMatchObject([
      { key: 'a', operation: 'upload', replica: 'memory', error: { code: 'unavailable' } },
    ])
    replica.faults.enabled = false
    await files.sync(failures.map(({ key }) => key))
    expect(await contentOf(stores.replica)).toEqual({ a: 'a' })
  })

  it('nothing where the primary is down, and tells the key: its answer may have been lost', async () => {
    const { files, primary, stores, failures } = mirrored()
    primary.faults.enabled = true
    await expect(files.upload('a', 'a')).rejects.toMatchObject({ code: 'unavailable' })
    expect(failures).toMatchObject([{ key: 'a', operation: 'upload', error: { code: 'unavailable' } }])
    expect(failures[0]).not.toHaveProperty('replica')
    expect(await contentOf(stores.replica)).toEqual({})
  })

  it('a lost answer to the replica when its key is synced', async () => {
    const stores = { primary: memory(), replica: memory() }
    const lossy = faults(stores.primary, {
      seed: 1,
      rules: [{ kind: 'lost-answer', operations: ['upload'], times: 1 }],
    })
    const keys: string[] = []
    const files = mirror(lossy, stores.replica, { onFailure: ({ key }) => keys.push(key) })
    await expect(files.upload('a', 'a')).rejects.toMatchObject({ code: 'timeout' })
    await files.sync(keys)
    expect(await contentOf(stores.replica)).toEqual({ a: 'a' })
  })

  it('what another process wrote meanwhile, not what it has read before', async () => {
    const stores = { primary: memory(), replica: memory() }
    let overtaken = false
    // Between the read from the primary and the write to the replica somebody else writes to both.
    const replica = forward(stores.replica, {
      async upload(key, body, options) {
        if (!overtaken) {
          overtaken = true
          await other.upload('a', 'new')
        }
        return stores.replica.upload(key, body, options)
      },
    })
    const other = mirror(stores.primary, forward(stores.replica), { onFailure: () => {} })
    const files = mirror(stores.primary, replica, { onFailure: () => {} })
    await files.upload('a', 'old')
    expect(await contentOf(stores.primary)).toEqual({ a: 'new' })
    expect(await contentOf(stores.replica)).toEqual({ a: 'new' })
  })

  it('no object back that was deleted while it was copied', async () => {
    const stores = { primary: memory(), replica: memory() }
    const replica = forward(stores.replica, {
      async upload(key, body, options) {
        const info = await stores.replica.upload(key, body, options)
        await stores.primary.delete(key)
        return info
      },
    })
    const files = mirror(stores.primary, replica, { onFailure: () => {} })
    await files.upload('a', 'a')
    expect(await contentOf(stores.replica)).toEqual({})
  })

  it('to the queue where there is one, and to the replica by sync, in whatever order', async () => {
    const queue: string[] = []
    const { files, stores, failures } = mirrored({ later: keys => void queue.push(...keys) })
    await files.upload('a', '1')
    await files.upload('b', '1')
    await files.upload('a', '2')
    await files.delete('b')
    expect([queue, await contentOf(stores.replica)]).toEqual([['a', 'b', 'a', 'b'], {}])
    await files.sync(queue.reverse())
    await files.sync(queue)
    expect([await contentOf(stores.replica), failures]).toEqual([{ a: '2' }, []])
  })

  it('with success where the queue fails, and tells the key', async () => {
    const { files, failures } = mirrored({
      later: async () => {
        throw new StorageError('unavailable', 'the queue is down')
      },
    })
    await files.upload('a', 'a')
    expect(failures).toMatchObject([{ key: 'a', error: { message: 'the queue is down' } }])
  })

  it('to all replicas, and tells of the one that failed', async () => {
    const [primary, one, two] = [memory(), memory(), memory()]
    const down = faults(two, { seed: 1, rules: [{ kind: 'before', operations: ['upload'] }] })
    const failures: MirrorFailure[] = []
    const files = mirror(primary, [one, down], { onFailure: failure => failures.push(failure) })
    await files.upload('a', 'a')
    expect([await contentOf(one), await contentOf(two), failures.length]).toEqual([{ a: 'a' }, {}, 1])
    await expect(files.sync(['a'])).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('mirror reads', () => {
  it('come from the replica while the primary is down', async () => {
    const { files, primary } = mirrored()
    await files.upload('a', 'text')
    primary.faults.enabled = true
    expect(await (await files.download('a')).text()).toBe('text')
    expect(await files.info('a')).toMatchObject({ key: 'a', size: 4 })
    expect(await files.exists('a')).toBe(true)
    expect(await files.infoMany(['a', 'b'])).toMatchObject([
      { key: 'a', ok: true, value: { size: 4 } },
      { key: 'b', ok: false },
    ])
    await expect(files.list().page()).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('fail as the primary does where no replica has an answer', async () => {
    const { files, primary, replica } = mirrored()
    await files.upload('a', 'text')
    primary.faults.enabled = true
    replica.faults.enabled = true
    await expect(files.download('a')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('of one version never come from a replica, whose etags are its own', async () => {
    const { files, primary } = mirrored()
    const { etag } = await files.upload('a', 'text')
    primary.faults.enabled = true
    await expect(files.download('a', { ifMatch: etag! })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('of what the primary does not have come from a replica only where that was asked for', async () => {
    const stores = { primary: memory(), replica: memory() }
    await stores.replica.upload('old', 'text')
    const onFailure = () => {}
    const careful = mirror(forward(stores.primary), forward(stores.replica), { onFailure })
    await expect(careful.download('old')).rejects.toMatchObject({ code: 'not-found' })
    expect(await careful.exists('old')).toBe(false)
    const hopeful = mirror(stores.primary, stores.replica, { onFailure, fallback: 'missing' })
    expect(await (await hopeful.download('old')).text()).toBe('text')
    expect(await hopeful.exists('old')).toBe(true)
    expect(await hopeful.infoMany(['old', 'never'])).toMatchObject([{ ok: true }, { ok: false }])
  })

  it('stay with the primary where fallback is never', async () => {
    const { files, primary } = mirrored({ fallback: 'never' })
    await files.upload('a', 'text')
    primary.faults.enabled = true
    await expect(files.download('a')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('do not spend the time of the caller twice', async () => {
    const slow = faults(memory(), { seed: 1, rules: [{ kind: 'hang', operations: ['info'] }] })
    const files = mirror(slow, memory(), { onFailure: () => {} })
    await expect(files.info('a', { timeoutMs: 20 })).rejects.toMatchObject({ code: 'timeout' })
  })
})

describe('mirror', () => {
  it('takes what all of its stores can hold', async () => {
    const inner = memory()
    const small = forward(inner, {
      get capabilities(): Capabilities {
        return {
          ...inner.capabilities,
          metadata: false,
          keys: { ...inner.capabilities.keys, maxBytes: 5, allowed: /^[a-z]*$/ },
        }
      },
    })
    const files = mirror(memory(), small, { onFailure: () => {} })
    expect(files.capabilities).toMatchObject({ layers: ['mirror'], metadata: false, keys: { maxBytes: 5 } })
    await expect(files.upload('longer', 'a')).rejects.toMatchObject({ code: 'invalid-key' })
    await expect(files.upload('A', 'a')).rejects.toMatchObject({ code: 'invalid-key' })
    await expect(files.upload('a', 'a', { metadata: { a: 'b' } })).rejects.toMatchObject({
      code: 'unsupported',
    })
    expect(await contentOf(files)).toEqual({})
  })

  it('goes around stores that retry', async () => {
    const store = memory()
    const flaky = faults(store, { seed: 1, rules: [{ kind: 'before', operations: ['upload'], times: 2 }] })
    const failures: MirrorFailure[] = []
    const files = mirror(memory(), retry(flaky, { minDelayMs: 0 }), {
      onFailure: failure => failures.push(failure),
    })
    await files.upload('a', 'a')
    expect([await contentOf(store), failures]).toEqual([{ a: 'a' }, []])
  })

  it.each<[unknown, RegExp]>([
    [undefined, /options must be an object/],
    [{}, /needs onFailure/],
    [{ onFailure: () => {}, onfailure: 1 }, /^mirror: unknown option 'onfailure'/],
    [{ onFailure: () => {}, fallback: 'always' }, /fallback must be/],
    [{ onFailure: () => {}, concurrency: 0 }, /concurrency must be a whole number/],
  ])('refuses the options %o', (options, message) => {
    expect(() => mirror(memory(), memory(), options as MirrorOptions)).toThrow(refused(message))
  })

  it('refuses no replica, what is none, and the primary itself', () => {
    const options = { onFailure: () => {} }
    const store = memory()
    expect(() => mirror(store, [], options)).toThrow(refused(/at least one replica/))
    expect(() => mirror(store, {} as never, options)).toThrow(refused(/must be a provider/))
    expect(() => mirror(store, forward(store), options)).toThrow(refused(/the same place as the primary/))
  })
})
