import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward, prefix } from '../../src/decorators/index.ts'

const signing = { baseUrl: 'https://example.org/files', secret: 'a-secret-of-some-length' }

async function names(files: StorageProvider, options?: Parameters<StorageProvider['list']>[0]) {
  const all: string[] = []
  for await (const entry of files.list(options)) all.push(entry.kind === 'object' ? entry.key : entry.prefix)
  return all
}

async function thrown(work: () => unknown): Promise<StorageError> {
  try {
    await work()
  } catch (error) {
    return error as StorageError
  }
  throw new Error('nothing was thrown')
}

describe('prefix', () => {
  it('stores under the root and shows keys without it', async () => {
    const store = memory()
    const files = prefix(store, 'tenant/a/')
    expect((await files.upload('x.txt', 'x')).key).toBe('x.txt')
    expect(await names(store)).toEqual(['tenant/a/x.txt'])
    expect((await files.download('x.txt')).info.key).toBe('x.txt')
    expect((await files.info('x.txt')).key).toBe('x.txt')
    expect((await files.copy('x.txt', 'y.txt')).key).toBe('y.txt')
    expect((await files.move('y.txt', 'z.txt')).key).toBe('z.txt')
    expect(await files.delete('z.txt')).toEqual({ key: 'z.txt', status: 'deleted' })
    expect(await files.infoMany(['x.txt', 'q'])).toMatchObject([
      { key: 'x.txt', ok: true, value: { key: 'x.txt' } },
      { key: 'q', ok: false, error: { key: 'q' } },
    ])
  })

  it('never mixes tenant/a and tenant/aa', async () => {
    const store = memory()
    await store.upload('tenant/aa/secret', 'x')
    await store.upload('tenant/a', 'x')
    const files = prefix(store, 'tenant/a')
    expect(await names(files)).toEqual([])
    expect(await files.exists('a/secret')).toBe(false)
  })

  it.each(['../tenant/b/x', 'x/../../b', '..', '.', ''])('lets no key lead out: %j', async key => {
    const files = prefix(memory({ signing }), 'tenant/a/')
    const error = await thrown(() => files.upload(key, 'x'))
    expect(error).toMatchObject({ code: 'invalid-key', operation: 'upload' })
    expect(error.message).not.toContain('tenant/a')
    expect(await files.deleteMany([key])).toMatchObject([
      { key, status: 'error', error: { code: 'invalid-key' } },
    ])
    expect(await thrown(() => files.publicUrl(key))).toMatchObject({ code: 'invalid-key' })
  })

  it('lists prefixes, folders and pages as if it were the whole store', async () => {
    const store = memory()
    const files = prefix(store, 't/')
    for (const key of ['a/1', 'a/2', 'b', 'c']) await files.upload(key, key)
    await store.upload('s', 'x')
    await store.upload('u', 'x')
    expect(await names(files, { delimiter: '/' })).toEqual(['a/', 'b', 'c'])
    expect(await names(files, { prefix: 'a/' })).toEqual(['a/1', 'a/2'])
    expect(await names(files, { startAfter: 'a/2' })).toEqual(['b', 'c'])
    const first = await files.list().page({ limit: 3 })
    expect(first).toMatchObject({ items: [{ key: 'a/1' }, { key: 'a/2' }, { key: 'b' }], next: 'b' })
    expect(await files.list().page({ after: first.next! })).toMatchObject({ items: [{ key: 'c' }] })
  })

  it('does not show the marker of its own folder', async () => {
    const store = memory()
    await store.upload('t/', '')
    await store.upload('t/a', 'a')
    const files = prefix(store, 't/')
    expect(await names(files)).toEqual(['a'])
    expect((await files.list().page()).items).toHaveLength(1)
  })

  it('deletes what its list names', async () => {
    const store = memory()
    await store.upload('other', 'x')
    const files = prefix(store, 't/')
    for (const key of ['a', 'b']) await files.upload(key, key)
    expect(await files.deleteMany(files.list())).toEqual([
      { key: 'a', status: 'deleted' },
      { key: 'b', status: 'deleted' },
    ])
    expect(await names(store)).toEqual(['other'])
  })

  it('refuses bad keys one by one and sends the others on', async () => {
    const files = prefix(memory(), 't/')
    await files.upload('a', 'a')
    const odd = ['', 'a', 5 as unknown as string, '../b', 'c']
    expect((await files.deleteMany(odd)).map(({ key, status }) => [key, status])).toEqual([
      ['', 'error'],
      ['a', 'deleted'],
      ['5', 'error'],
      ['../b', 'error'],
      ['c', 'missing'],
    ])
  })

  it('leaves room for its root in the longest key', async () => {
    const files = prefix(memory(), 'tenant/')
    const { maxBytes } = files.capabilities.keys
    expect(maxBytes).toBe(1024 - 7)
    await files.upload('x'.repeat(maxBytes), 'x')
    expect(await thrown(() => files.upload('x'.repeat(maxBytes + 1), 'x'))).toMatchObject({
      code: 'invalid-key',
      message: expect.stringContaining('at most 1017'),
    })
  })

  it('signs with the name that the key has in here', async () => {
    const files = prefix(memory({ signing }), 't/')
    expect((await files.signedUrl('a.txt', { expiresIn: 60, download: true })).url).toContain('/t/a.txt?')
    expect(await files.signedUrls(['a.txt', '..'], { expiresIn: 60 })).toMatchObject([
      { key: 'a.txt', ok: true },
      { key: '..', ok: false },
    ])
    expect(files.publicUrl('a.txt')).toBe('https://example.org/files/t/a.txt')
  })

  it('stands within another', async () => {
    const store = memory()
    await prefix(prefix(store, 'a'), 'b').upload('c', 'c')
    expect(await names(store)).toEqual(['a/b/c'])
  })

  it.each(['', '../x', 'a/../b', '/..', 'x'.repeat(1024), 5 as unknown as string])(
    'refuses the root %j',
    root => {
      expect(() => prefix(memory(), root)).toThrow(StorageError)
    },
  )
})

describe('an error from below', () => {
  const root = 'tenant/a b/'
  const failing = (error: Error) =>
    prefix(
      forward(memory(), {
        async info() {
          throw error
        },
      }),
      root,
    )

  it('has the key and the messages without the root, however deep', async () => {
    const cause = new Error("ENOENT: no such file, open '/srv/tenant/a b/x.txt'", {
      cause: new Error('GET /bucket/tenant/a%20b/x.txt answered 500'),
    })
    const error = await thrown(() =>
      failing(
        new StorageError('unavailable', 'info: the key "tenant/a b/x.txt" is locked', {
          operation: 'info',
          key: 'tenant/a b/x.txt',
          status: 500,
          retryAfterMs: 7,
          cause,
        }),
      ).info('x.txt'),
    )
    expect(error).toMatchObject({
      code: 'unavailable',
      message: 'info: the key "x.txt" is locked',
      key: 'x.txt',
      status: 500,
      retryAfterMs: 7,
      retryable: true,
      cause: { message: "ENOENT: no such file, open '/srv/x.txt'" },
    })
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      expect(`${at.message} ${at.stack}`).not.toMatch(/tenant\/a/)
  })

  it('keeps words that only look like the root', async () => {
    const store = forward(memory(), {
      async info() {
        throw new StorageError('internal', 'info: data/x and a/x', { operation: 'info' })
      },
    })
    expect((await thrown(() => prefix(store, 'a/').info('x'))).message).toBe('info: data/x and x')
  })

  it('of a body is renamed, too', async () => {
    const store = memory()
    const files = prefix(
      forward(store, {
        download: async (key, options) =>
          (await store.download(key, options)).through(source => ({
            ...source,
            bytes: undefined,
            async *chunks() {
              yield Buffer.from('half')
              throw new StorageError('unavailable', 'download: tenant/a/x broke off', {
                operation: 'download',
                key,
              })
            },
          })),
      }),
      'tenant/a/',
    )
    await files.upload('x', 'half and half')
    const download = await files.download('x')
    expect(await thrown(() => download.text())).toMatchObject({
      key: 'x',
      message: 'download: x broke off',
    })
  })
})
