import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { Capabilities } from '../../src/core/capabilities.ts'
import { defineProvider } from '../../src/core/define-provider.ts'
import type { Driver } from '../../src/core/driver.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { DeleteOptions, UploadOptions } from '../../src/core/options.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { limit } from '../../src/decorators/limit.ts'
import { retry } from '../../src/decorators/retry.ts'
import { hasCode } from '../support/has-code.ts'

/** A driver that counts what reaches it; every method not given hangs the test by failing loudly. */
function counting(changes: Partial<Driver> = {}, capabilities: Partial<Capabilities> = {}) {
  const calls: string[] = []
  const base = {
    ...memory({ signing: { baseUrl: 'http://host', secret: 's'.repeat(16) } }).capabilities,
    ...capabilities,
  }
  const driver = new Proxy(
    {
      name: 'fake',
      capabilities: base,
      deleteBatchSize: 2,
      signBatchSize: 2,
      concurrency: 2,
      ...changes,
    } as Driver,
    {
      get(target, name: string) {
        const value = target[name as keyof Driver]
        if (typeof value !== 'function' && value !== undefined) return value
        return (...args: unknown[]) => {
          calls.push(name)
          if (value === undefined) throw new Error(`${name} is not faked`)
          return (value as (...args: unknown[]) => unknown)(...args)
        }
      },
    },
  )
  return { files: defineProvider(driver), calls }
}

const translate = () => undefined

describe('bad arguments', () => {
  const calls: [string, (files: StorageProvider) => unknown][] = [
    ['an unknown option', files => files.upload('k', 'x', { upsert: true } as never)],
    ['options that are null', files => files.download('k', null as never)],
    ['a range that is no range', files => files.download('k', { range: 'lines=1-2' as never })],
    ['a progress listener that is none', files => files.download('a/b', { onProgress: 5 as never })],
    ['two ranges', files => files.download('k', { range: 'bytes=0-1,3-4' })],
    ['a negative range', files => files.download('k', { range: { start: -1 } })],
    ['a range that ends first', files => files.download('k', { range: { start: 3, end: 2 } })],
    ['a size that is none', files => files.upload('k', 'x', { size: 1.5 })],
    ['a wrong size', files => files.upload('k', 'x', { size: 2 })],
    ['sameContent alone', files => files.upload('k', 'x', { sameContent: 'ok' })],
    ['both conditions', files => files.upload('k', 'x', { ifMatch: 'e', ifNoneMatch: '*' })],
    ['an etag with quotes', files => files.info('k', { ifMatch: '"e"' })],
    ['an unknown checksum', files => files.upload('k', 'x', { checksum: 'sha3' as never })],
    [
      'a checksum of the wrong length',
      files => files.upload('k', 'x', { checksum: { algorithm: 'md5', value: 'abc' } }),
    ],
    ['a header that ends its line', files => files.upload('k', 'x', { cacheControl: 'a\r\nb: c' })],
    ['metadata that is no string', files => files.upload('k', 'x', { metadata: { a: 1 as never } })],
    ['metadata without a name', files => files.upload('k', 'x', { metadata: { '': 'x' } })],
    ['metadata twice', files => files.upload('k', 'x', { metadata: { a: '1', A: '2' } })],
    ['too much metadata', files => files.upload('k', 'x', { metadata: { a: 'x'.repeat(2048) } })],
    ['a timeout of 0', files => files.info('k', { timeoutMs: 0 })],
    ['a signal that is none', files => files.info('k', { signal: {} as never })],
    ['a folded prefix to delete', files => files.deleteMany(files.list({ delimiter: '/' }))],
    ['a page of none', files => files.list().page({ limit: 0 })],
    ['a lifetime of 0', files => files.signedUrl('k', { expiresIn: 0 })],
    ['a lifetime that is no whole number', files => files.signedUrl('k', { expiresIn: 1.5 })],
    ['no lifetime', files => files.signedUrl('k', undefined as never)],
    ['a type to a signed GET', files => files.signedUrl('k', { expiresIn: 1, contentType: 'text/plain' })],
    ['a name that breaks a header', files => files.signedUrl('k', { expiresIn: 1, download: 'a\nb' })],
    ['size and maxSize', files => files.signedUpload('k', { expiresIn: 1, size: 1, maxSize: 2 })],
  ]

  it.each(calls)('%s is invalid-argument', async (_, call) => {
    const files = memory({ signing: { baseUrl: 'http://host', secret: 's'.repeat(16) } })
    await files.upload('a/b', 'kept')
    await expect((async () => call(files))()).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(await files.exists('k')).toBe(false)
  })

  it.each([
    ['list', (files: StorageProvider) => files.list({ delimiter: ',' as never })],
    ['list of a long prefix', (files: StorageProvider) => files.list({ prefix: 'x'.repeat(1025) })],
    ['publicUrl', (files: StorageProvider) => files.publicUrl('../x')],
  ])('%s, which returns at once, throws at once', (_, call) =>
    expect(() => call(memory())).toThrow(StorageError),
  )
})

describe('before anything is sent', () => {
  it.each<[string, Partial<Capabilities>, (files: StorageProvider) => Promise<unknown>]>([
    ['a condition', { conditionalDelete: false }, files => files.delete('k', { ifMatch: 'e' })],
    ['create-only', { createOnly: false }, files => files.upload('k', 'x', { ifNoneMatch: '*' })],
    ['a storage class', {}, files => files.upload('k', 'x', { storageClass: 'GLACIER' })],
    ['metadata', { metadata: false }, files => files.upload('k', 'x', { metadata: { a: '1' } })],
    ['signing', { signedUrl: false }, files => files.signedUrls(['k'], { expiresIn: 1 })],
    [
      'a type bound to a URL',
      {
        signedUrl: { methods: ['PUT'], checksExistence: false, bindsContentType: false, bindsDownload: true },
      },
      files => files.signedUrl('k', { expiresIn: 1, method: 'PUT', contentType: 'text/plain' }),
    ],
    ['a write', { writable: false }, files => files.upload('k', 'x')],
    ['a delete', { writable: false }, files => files.deleteMany(['k'])],
    ['a signed upload', { signedUpload: false }, files => files.signedUpload('k', { expiresIn: 1 })],
  ])('refuses %s that the store does not keep', async (_, capabilities, call) => {
    const { files, calls } = counting({ translate }, capabilities)
    await expect(call(files)).rejects.toSatisfy(hasCode('unsupported'))
    expect(calls.filter(name => name !== 'translate')).toEqual([])
  })

  it('asks the endpoint once about a condition it does not know', async () => {
    const { files, calls } = counting({ translate, ask: async () => false }, { conditionalDelete: 'unknown' })
    await expect(files.delete('k', { ifMatch: 'e' })).rejects.toSatisfy(hasCode('unsupported'))
    expect(calls).toEqual(['ask'])
  })

  it('stops a call whose signal has ended already', async () => {
    const { files, calls } = counting({ translate })
    await expect(files.info('k', { signal: AbortSignal.abort() })).rejects.toSatisfy(hasCode('aborted'))
    expect(calls).toEqual([])
  })
})

describe('around a driver', () => {
  it('ends a call that hangs', async () => {
    const hang = () => new Promise<never>(() => {})
    const { files } = counting({ translate, head: hang, read: hang, copy: hang })
    for (const call of [
      files.info('k', { timeoutMs: 5 }),
      files.download('k', { timeoutMs: 5 }),
      files.copy('a', 'b', { timeoutMs: 5 }),
    ]) {
      await expect(call).rejects.toSatisfy(hasCode('timeout'))
    }
  })

  it('cancels the body of an answer that comes when the call has ended, whatever comes of that', async () => {
    const cancelled: string[] = []
    const answers: (() => void)[] = []
    const { files } = counting({
      translate,
      read: ({ key }) =>
        new Promise(resolve => {
          const cancel = () => {
            cancelled.push(key)
            if (key === 'broken') throw new Error('no connection to free')
          }
          const source = { async *chunks() {}, cancel }
          answers.push(() => resolve({ info: { key, size: 0, metadata: {} }, source }))
        }),
    })
    const controller = new AbortController()
    const { signal } = controller
    const given = [files.download('aborted', { signal }), files.download('broken', { signal })]
    const late = files.download('late', { timeoutMs: 5 })
    controller.abort()
    for (const download of given) await expect(download).rejects.toSatisfy(hasCode('aborted'))
    await expect(late).rejects.toSatisfy(hasCode('timeout'))
    expect(cancelled).toEqual([])
    for (const answer of answers) answer()
    await expect.poll(() => cancelled).toEqual(['aborted', 'broken', 'late'])
  })

  it('ends an upload that waits for what the endpoint says of its condition', async () => {
    const { files, calls } = counting(
      { translate, ask: () => new Promise<never>(() => {}) },
      { createOnly: 'unknown' },
    )
    const upload = files.upload('k', 'x', { ifNoneMatch: '*', timeoutMs: 5 })
    await expect(upload).rejects.toSatisfy(hasCode('timeout'))
    expect(calls).not.toContain('write')
  })

  it('splits batches, keeps their order, and lets a bad key fail alone', async () => {
    const batches: string[][] = []
    const { files } = counting({
      translate,
      removeMany: async entries => {
        batches.push(entries.map(({ key }) => key))
        return entries.map(({ key }) => ({ key, status: 'deleted' }))
      },
    })
    const results = await files.deleteMany(['a', '..', 'b', 'c', '', 'd'])
    expect(results.map(({ key, status }) => [key, status])).toEqual([
      ['a', 'deleted'],
      ['..', 'error'],
      ['b', 'deleted'],
      ['c', 'deleted'],
      ['', 'error'],
      ['d', 'deleted'],
    ])
    expect(batches).toEqual([['a'], ['b', 'c'], ['d']])
  })

  it('reads keys from an endless source no further than its batches go', async () => {
    let read = 0
    async function* keys() {
      for (;;) yield `k${read++}`
    }
    const removeMany = () => Promise.reject(new Error('down'))
    const controller = new AbortController()
    const { files } = counting({
      translate,
      removeMany: async () => {
        controller.abort()
        return removeMany()
      },
    })
    await expect(files.deleteMany(keys(), { signal: controller.signal })).rejects.toSatisfy(
      hasCode('aborted'),
    )
    expect(read).toBeLessThan(20)
  })

  it('gives a batch that failed to each of its keys', async () => {
    const down = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
    const { files } = counting({
      translate,
      removeMany: () => Promise.reject(down),
      signMany: () => Promise.reject(down),
    })
    for (const result of await files.deleteMany(['a', 'b', 'c'])) {
      expect(result).toMatchObject({
        status: 'error',
        error: { code: 'unavailable', operation: 'deleteMany' },
      })
    }
    const signed = await files.signedUrls(['a'], { expiresIn: 1 })
    expect(signed).toMatchObject([{ key: 'a', ok: false, error: { code: 'unavailable' } }])
  })

  it('does not take a missing bucket for a missing object', async () => {
    const head = () => Promise.reject(new StorageError('not-found', 'no such bucket', { resource: 'bucket' }))
    await expect(counting({ translate, head }).files.exists('k')).rejects.toSatisfy(hasCode('not-found'))
    const missing = () => Promise.reject(new StorageError('not-found', 'nothing there'))
    expect(await counting({ translate, head: missing }).files.exists('k')).toBe(false)
  })

  it('refuses a list that is out of order or goes in circles', async () => {
    const page = (keys: string[]) => async () => ({
      done: false,
      cursor: 'same',
      entries: keys.map(key => ({ kind: 'object' as const, key, size: 1 })),
    })
    await expect(
      counting({ translate, listPage: page(['b', 'a']) })
        .files.list()
        .page(),
    ).rejects.toSatisfy(hasCode('internal'))
    const circling = counting({ translate, listPage: page([]) }).files
    await expect(circling.list().page()).rejects.toSatisfy(hasCode('internal'))
  })

  it('closes once and refuses calls afterwards', async () => {
    let closed = 0
    const { files } = counting({ translate, close: async () => void closed++ })
    await Promise.all([files.close(), files.close()])
    expect(closed).toBe(1)
    await expect(files.info('k')).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(() => files.publicUrl('k')).toThrow(/closed/)
  })
})

describe('publishing the same twice', () => {
  const create = { ifNoneMatch: '*', sameContent: 'ok' } as const

  it.each([
    ['bytes', () => 'content'],
    ['a stream', () => Readable.from(['con', 'tent'])],
  ])('is fine for %s that are the same, and refused for others', async (_, body) => {
    const files = memory()
    const first = await files.upload('k', body(), create)
    expect(await files.upload('k', body(), create)).toEqual(first)
    await expect(files.upload('k', 'CONTENT', create)).rejects.toSatisfy(hasCode('already-exists'))
    await expect(files.upload('k', Readable.from(['content', '!']), create)).rejects.toSatisfy(
      hasCode('already-exists'),
    )
    expect(await (await files.download('k')).text()).toBe('content')
  })

  it('asks to try again where what was in the way is gone by then', async () => {
    const write = () => Promise.reject(new StorageError('already-exists', 'in the way'))
    const head = () => Promise.reject(new StorageError('not-found', 'gone'))
    const { files } = counting({ translate, write, head })
    await expect(files.upload('k', 'content', create)).rejects.toMatchObject({
      code: 'conflict',
      retryable: true,
    })
  })

  it('reads what is stored where its checksum is of another kind', async () => {
    const files = memory()
    await files.upload('k', 'content', { checksum: 'md5' })
    expect((await files.upload('k', 'content', create)).size).toBe(7)
  })
})

describe('options that the caller changes after the call', () => {
  it.each<[string, (files: StorageProvider) => StorageProvider]>([
    ['the provider', files => files],
    ['a limit that makes it wait', files => limit(files, { concurrency: 1 })],
    ['retry', files => retry(files)],
  ])('are those of the call for %s', async (_, wrap) => {
    const files = wrap(memory())
    await files.upload('there', 'old')
    const options: UploadOptions = { contentType: 'text/a', metadata: { n: '1' } }
    const first = files.upload('first', 'x', options)
    options.contentType = 'text/b'
    const create: UploadOptions = { ifNoneMatch: '*' }
    const refused = files.upload('there', 'new', create)
    const remove: DeleteOptions = { ifMatch: 'other' }
    const kept = files.delete('there', remove)
    const copied = files.copy('there', 'there', create)
    delete create.ifNoneMatch
    delete remove.ifMatch
    expect((await first).contentType).toBe('text/a')
    await expect(refused).rejects.toSatisfy(hasCode('already-exists'))
    await expect(kept).rejects.toSatisfy(hasCode('precondition-failed'))
    await expect(copied).rejects.toSatisfy(hasCode('already-exists'))
  })
})
