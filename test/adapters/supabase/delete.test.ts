import { describe, expect, it } from 'vitest'
import { underTest } from './under-test.ts'

const host = underTest()

describe('a delete', () => {
  it('is one request for an object that was there, and says missing for one that was not', async () => {
    const bucket = await host.bucket()
    const { files, sent } = host.recorded(bucket)
    await host.put(bucket, 'a', 'x')
    expect(await files.delete('a')).toEqual({ key: 'a', status: 'deleted' })
    expect(sent).toHaveLength(1)
    expect(await files.delete('a')).toEqual({ key: 'a', status: 'missing' })
  })

  it('of many is one request for each 500, and one more for all that were missing', async () => {
    const bucket = await host.bucket()
    const keys = Array.from({ length: 600 }, (_, at) => `k/${String(at).padStart(4, '0')}`)
    await Promise.all(keys.slice(0, 20).map(key => host.put(bucket, key, 'x')))
    const { files, sent } = host.recorded(bucket)
    const results = await files.deleteMany(keys)
    expect(results.map(({ key }) => key)).toEqual(keys)
    expect(results.filter(({ status }) => status === 'deleted')).toHaveLength(20)
    expect(results.filter(({ status }) => status === 'missing')).toHaveLength(580)
    const deletes = sent.filter(({ method }) => method === 'DELETE')
    expect(deletes.map(({ body }) => (body as { prefixes: string[] }).prefixes.length)).toEqual([500, 100])
    expect(sent.length).toBeLessThanOrEqual(6)
  })

  it('of the same key twice deletes it once', async () => {
    const bucket = await host.bucket()
    await host.put(bucket, 'a', 'x')
    expect(await host.open(bucket).deleteMany(['a', 'b', 'a'])).toEqual([
      { key: 'a', status: 'deleted' },
      { key: 'b', status: 'missing' },
      { key: 'a', status: 'missing' },
    ])
  })

  it('has one of many at once that says deleted', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    for (const remove of [
      () => files.delete('a').then(({ status }) => status),
      () => files.deleteMany(['a']).then(([result]) => result!.status),
    ]) {
      await files.upload('a', 'x')
      const results = await Promise.all(Array.from({ length: 6 }, remove))
      expect(results.sort()).toEqual(['deleted', 'missing', 'missing', 'missing', 'missing', 'missing'])
    }
  })

  it('says nothing was deleted, in every form, where the store is down, and the object is there afterwards', async context => {
    const { standIn } = host.server
    if ('unavailable' in standIn) return context.skip(standIn.unavailable)
    const bucket = await host.bucket()
    const files = host.open(bucket)
    await files.upload('a', 'x')
    standIn.faults.storeDown = true
    try {
      await expect(files.delete('a')).rejects.toMatchObject({ code: 'unavailable', retryable: true })
      expect(await files.deleteMany(['a'])).toMatchObject([
        { key: 'a', status: 'error', error: { code: 'unavailable' } },
      ])
    } finally {
      standIn.faults.storeDown = false
    }
    expect(await (await files.download('a')).text()).toBe('x')
  })

  it('fails for a bucket that does not exist, which the server answers as for missing objects', async () => {
    const files = host.open('no-such-bucket')
    const missing = { code: 'not-found', resource: 'bucket' }
    await expect(files.delete('a')).rejects.toMatchObject(missing)
    expect(await files.deleteMany(['a'])).toMatchObject([{ status: 'error', error: missing }])
  })
})
