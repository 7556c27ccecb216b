import { describe, expect, it } from 'vitest'
import { cacheSignedUrls, countSignedUrls, memoryCache, type SignedUrlCache } from '../../src/cache/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import {
  limit,
  type OperationEvent,
  observe,
  prefix,
  readOnly,
  retry,
  timeout,
} from '../../src/decorators/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { DAY, Signer } from './stack.ts'

function counting() {
  const counts: Record<string, number> = {}
  const events: OperationEvent[] = []
  const observer = (event: OperationEvent) => {
    events.push(event)
    countSignedUrls(event, (counter, outcome, count) => {
      counts[`${counter} ${outcome}`] = (counts[`${counter} ${outcome}`] ?? 0) + count
    })
  }
  return { counts, events, observer }
}

const LAYERS: [string, (files: StorageProvider) => StorageProvider][] = [
  ['nothing', files => files],
  ['prefix', files => prefix(files, 'p/')],
  ['retry', files => retry(files)],
  [
    'timeout, limit and readOnly',
    files => readOnly(timeout(limit(files, { concurrency: 2 }), { timeoutMs: 9999 })),
  ],
  ['another observe', files => observe(files, () => {})],
]

describe('counters of signed URLs', () => {
  it.each(LAYERS)('are seen from outside of the cache with %s between', async (_, between) => {
    const signer = new Signer()
    const { counts, observer } = counting()
    const files = observe(between(signer.cached({ cache: memoryCache({ now: signer.clock.now }) })), observer)
    await files.signedUrl('a')
    await files.signedUrl('a')
    await files.signedUrls(['a', 'b', 'c', '../d'])
    expect(counts).toEqual({
      'signed_url miss': 1,
      'signed_url hit': 1,
      'signed_url_batch hit': 1,
      'signed_url_batch miss': 2,
    })
  })

  it('are seen through records', async () => {
    const signer = new Signer()
    const { counts, observer } = counting()
    const cached = signer.cached({ cache: memoryCache({ now: signer.clock.now }) })
    const records = withRecords(cached, sqlite({ path: ':memory:' }), {
      env: {},
      tenant: 'a',
      replaceGraceMs: 0,
    })
    const files = observe(records, observer)
    for (const key of ['a', 'b']) await files.upload(key, 'x')
    await files.signedUrl('a')
    await files.signedUrls(['a', 'b'])
    expect(counts).toEqual({ 'signed_url miss': 1, 'signed_url_batch hit': 1, 'signed_url_batch miss': 1 })
    await files.close()
  })

  it('tell of a cache that failed, and of callers that waited for one signing', async () => {
    const signer = new Signer()
    const { counts, observer } = counting()
    const cache = memoryCache({ now: signer.clock.now })
    let down = false
    const moody: SignedUrlCache = {
      ...cache,
      getMany: keys => (down ? Promise.reject(new Error('down')) : cache.getMany(keys)),
    }
    const files = observe(signer.cached({ cache: moody }), observer)
    await Promise.all([files.signedUrl('a'), files.signedUrl('a')])
    down = true
    await files.signedUrl('a')
    await files.signedUrls(['a', 'b'])
    expect(counts).toEqual({ 'signed_url miss': 2, 'signed_url error': 1, 'signed_url_batch error': 2 })
  })

  it('leave out what is never kept, and events of anything else', async () => {
    const signer = new Signer()
    const { events, counts, observer } = counting()
    const files = observe(signer.cached({ cache: memoryCache({ now: signer.clock.now }) }), observer)
    await files.signedUrl('a', { method: 'PUT', expiresIn: DAY })
    await files.signedUrl('a', { expiresIn: 60 })
    await files.upload('a', 'x')
    await files.infoMany(['a'])
    expect(events.filter(event => 'cache' in event)).toEqual([])
    expect(counts).toEqual({})
  })

  it('are not told without a cache', async () => {
    const { events, observer } = counting()
    const files = observe(new Signer().store, observer)
    await files.signedUrl('a', { expiresIn: DAY })
    expect(events[0]).not.toHaveProperty('cache')
  })

  it('are told to an observer inside of the cache of the signings only, without outcomes', async () => {
    const signer = new Signer()
    const { events, observer } = counting()
    const files = cacheSignedUrls(observe(signer.store, observer), {
      cache: memoryCache({ now: signer.clock.now }),
      now: signer.clock.now,
    })
    await files.signedUrl('a')
    await files.signedUrl('a')
    expect(events.map(({ operation, cache }) => [operation, cache])).toEqual([['signedUrl', undefined]])
  })
})
