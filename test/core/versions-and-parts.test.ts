import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { defineProvider } from '../../src/core/define-provider.ts'
import type { Driver, UnfinishedAnswer, UnfinishedParts } from '../../src/core/driver.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { KeyEntry } from '../../src/core/options.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import type { DeleteResult } from '../../src/core/results.ts'
import {
  faults,
  limit,
  type OperationEvent,
  observe,
  prefix,
  readOnly,
  retry,
  timeout,
} from '../../src/decorators/index.ts'

/** A driver that deletes versions and lists parts as `changes` say. */
function driver(changes: Partial<Driver>): StorageProvider {
  const { capabilities } = memory()
  return defineProvider({
    name: 'fake',
    capabilities: { ...capabilities, versionedDelete: true, unfinishedUploads: true },
    deleteBatchSize: 2,
    concurrency: 2,
    translate: () => undefined,
    clock: async () => new Date(5000),
    ...changes,
  } as Driver)
}

/** One that remembers the batches it is asked to delete, and fails the first time for each of `failing`. */
function deleting(...failing: string[]) {
  const batches: KeyEntry[][] = []
  const left = new Set(failing)
  const files = driver({
    removeMany: async entries => {
      batches.push([...entries])
      return entries.map(({ key, versionId }): DeleteResult => {
        if (left.delete(key)) return { key, status: 'error', error: new StorageError('unavailable', 'down') }
        return { key, status: 'gone', ...(versionId === undefined ? {} : { versionId }) }
      })
    },
  })
  return { files, batches }
}

const ENTRIES = [{ key: 'a', versionId: '1' }, 'b', { key: 'c', versionId: '3' }]
const BATCHES = [[{ key: 'a', versionId: '1' }, { key: 'b' }], [{ key: 'c', versionId: '3' }]]

async function* late<Item>(items: readonly Item[]) {
  yield* items
}

describe('versions in deleteMany', () => {
  it('reach the driver, of an array, of what comes late, and of what upload returned', async () => {
    const { files, batches } = deleting()
    await files.deleteMany(ENTRIES)
    await files.deleteMany(late(ENTRIES))
    expect(batches).toEqual([...BATCHES, ...BATCHES])
    await files.deleteMany([{ key: 'a', size: 1, versionId: '9' } as KeyEntry])
    expect(batches.at(-1)).toEqual([{ key: 'a', versionId: '9' }])
  })

  it.each<[string, (files: StorageProvider) => StorageProvider]>([
    ['retry', files => retry(files)],
    ['timeout', files => timeout(files, { timeoutMs: 9_000 })],
    ['limit', files => limit(files, { concurrency: 2 })],
    ['observe', files => observe(files, () => {})],
    ['faults', files => faults(files, { seed: 1 })],
    [
      'faults that cut nothing off',
      files => faults(files, { seed: 1, rules: [{ kind: 'after', operations: ['deleteMany'] }] }),
    ],
  ])('pass through %s', async (_, wrap) => {
    for (const keys of [ENTRIES, late(ENTRIES)]) {
      const { files, batches } = deleting()
      await wrap(files).deleteMany(keys)
      expect(batches).toEqual(BATCHES)
    }
  })

  it('pass through prefix, under the root', async () => {
    const { files, batches } = deleting()
    const results = await prefix(files, 't').deleteMany(ENTRIES)
    expect(batches.flat()).toEqual([
      { key: 't/a', versionId: '1' },
      { key: 't/b' },
      { key: 't/c', versionId: '3' },
    ])
    expect(results).toMatchObject([{ key: 'a', versionId: '1' }, { key: 'b' }, { key: 'c' }])
  })

  it('are asked for again by a retry: never another version, never the current one', async () => {
    const { files, batches } = deleting('a', 'b')
    const retried = retry(files, { sleep: async () => {} })
    expect(await retried.deleteMany(ENTRIES)).toMatchObject([{ status: 'gone' }, { status: 'gone' }, {}])
    expect(batches).toEqual([...BATCHES, [{ key: 'a', versionId: '1' }, { key: 'b' }]])
  })

  it('that are none fail alone; where the store has none, nothing is deleted for one', async () => {
    const { files, batches } = deleting()
    expect(await files.deleteMany([{ key: 'a', versionId: '' }, 'b'])).toMatchObject([
      { status: 'error', error: { code: 'invalid-argument', key: 'a' } },
      { status: 'gone' },
    ])
    expect(batches).toEqual([[{ key: 'b' }]])
    const store = memory()
    await store.upload('a', 'kept')
    expect(await store.deleteMany([{ key: 'a', versionId: '1' }])).toMatchObject([
      { status: 'error', error: { code: 'unsupported' } },
    ])
    await expect(store.delete('a', { versionId: '1' })).rejects.toMatchObject({ code: 'unsupported' })
    expect(await store.exists('a')).toBe(true)
  })
})

const upload = (key: string) => ({ key, uploadId: `id of ${key}` })

/** Three pages of one upload each; `fails` are the numbers of the requests that fail. */
function listing(...fails: number[]) {
  const asked: (string | undefined)[] = []
  const pages: Record<string, UnfinishedAnswer> = {
    '': { uploads: [upload('t/a')], next: 't/a' },
    't/a': { uploads: [], next: 't/b' },
    't/b': { uploads: [upload('t/c')], next: 't/c' },
    't/c': { uploads: [upload('t/d')] },
  }
  const aborted: unknown[] = []
  const unfinished: UnfinishedParts = {
    async page({ startAfter = '' }) {
      asked.push(startAfter)
      if (fails.includes(asked.length)) throw new StorageError('unavailable', 'down for t/a')
      return pages[startAfter]!
    },
    async abort({ key, uploadId }) {
      aborted.push([key, uploadId])
    },
  }
  return { files: driver({ unfinished }), asked, aborted }
}

async function keys(files: StorageProvider, options?: object): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of files.unfinishedUploads(options)) found.push(key)
  return found
}

describe('unfinished uploads', () => {
  it('are asked for page by page, each when it is wanted', async () => {
    const { files, asked } = listing()
    for await (const { key } of files.unfinishedUploads()) if (key === 't/c') break
    expect(asked).toEqual(['', 't/a', 't/b'])
    expect(await keys(files, { startAfter: 't/b' })).toEqual(['t/c', 't/d'])
  })

  it('whose page comes again and again are an error, and no endless list', async () => {
    const files = driver({
      unfinished: { page: async () => ({ uploads: [], next: 'a' }), abort: async () => {} },
    })
    await expect(keys(files)).rejects.toMatchObject({ code: 'internal', operation: 'unfinishedUploads' })
  })

  it('are refused where a driver claims them and has none', async () => {
    expect(() => driver({}).unfinishedUploads()).toThrow(expect.objectContaining({ code: 'unsupported' }))
    await expect(driver({}).abortUpload('a', 'id')).rejects.toMatchObject({ code: 'unsupported' })
  })

  it('go on behind the last entry under retry', async () => {
    const { files, asked } = listing(2, 4)
    expect(await keys(retry(files, { sleep: async () => {} }))).toEqual(['t/a', 't/c', 't/d'])
    expect(asked).toEqual(['', 't/a', 't/a', 't/b', 't/a', 't/b', 't/c'])
  })

  it('have keys without the root under prefix, as errors have', async () => {
    const { files, aborted } = listing()
    const tenant = prefix(files, 't')
    expect(await keys(tenant, { startAfter: 'b' })).toEqual(['c', 'd'])
    await tenant.abortUpload('a', 'id')
    expect(aborted).toEqual([['t/a', 'id']])
    await expect(keys(prefix(listing(1).files, 't'))).rejects.toMatchObject({
      message: 'unfinishedUploads: down for a',
    })
  })

  it('are listed and not aborted under readOnly', async () => {
    const { files, aborted } = listing()
    expect(await keys(readOnly(files))).toHaveLength(3)
    await expect(readOnly(files).abortUpload('a', 'id')).rejects.toMatchObject({ code: 'unsupported' })
    expect(aborted).toEqual([])
  })

  it('are an event per page for an observer, and so is each abort', async () => {
    const events: OperationEvent[] = []
    const files = observe(listing().files, event => events.push(event))
    await keys(files, { prefix: 't' })
    await files.abortUpload('a', 'id')
    await files.clock()
    expect(
      events.map(({ operation, key, prefix: asked, count }) => [operation, key ?? asked, count]),
    ).toEqual([
      ['unfinishedUploads', 't', 1],
      ['unfinishedUploads', 't', 1],
      ['unfinishedUploads', 't', 1],
      ['abortUpload', 'a', undefined],
      ['clock', undefined, undefined],
    ])
  })

  it('end in time where a page hangs', async () => {
    const hangs = driver({
      unfinished: { page: () => new Promise(() => {}), abort: () => new Promise(() => {}) },
    })
    const files = timeout(hangs, { timeoutMs: 5 })
    await expect(keys(files)).rejects.toMatchObject({ code: 'timeout', operation: 'unfinishedUploads' })
    await expect(files.abortUpload('a', 'id')).rejects.toMatchObject({ code: 'timeout' })
  })

  it('fail as faults has it, each page on its own', async () => {
    const rules = [
      { kind: 'before' as const, operations: ['unfinishedUploads' as const], after: 1, times: 1 },
    ]
    const flaky = faults(listing().files, { seed: 1, rules })
    await expect(keys(flaky)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await keys(retry(flaky))).toHaveLength(3)
    expect(flaky.faults.log).toHaveLength(1)
  })
})

describe('the clock', () => {
  it('is retried, and fails as faults has it', async () => {
    const flaky = faults(driver({}), {
      seed: 1,
      rules: [{ kind: 'before', operations: ['clock'], times: 1 }],
    })
    expect(await retry(flaky, { sleep: async () => {} }).clock()).toEqual(new Date(5000))
  })
})
