import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { memoryCache } from '../../src/cache/index.ts'
import { open } from '../../src/open.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { refused } from '../support/refused.ts'

const signing = { baseUrl: 'https://example.org/files', secret: 'a-secret-of-some-length' }

describe('open with a cache', () => {
  it('keeps URLs in memory, and none where it is not asked to', async () => {
    const cached = await open('memory:', { env: {}, signing, cache: 'memory:' })
    expect(cached.capabilities.layers).toEqual(['cacheSignedUrls'])
    expect(await cached.signedUrl('a')).toEqual(await cached.signedUrl('a'))
    const plain = await open('memory:', { env: {}, signing })
    expect(plain.capabilities.layers).toEqual([])
    // Only the cache knows a lifetime by itself.
    await expect(plain.signedUrl('a', {} as never)).rejects.toEqual(refused(/expiresIn/))
  })

  it('keeps URLs in a cache of yours, which stays open', async () => {
    const asked: string[] = []
    const inner = memoryCache()
    const cache = {
      ...inner,
      getMany: (keys: readonly string[]) => {
        asked.push(...keys)
        return inner.getMany(keys)
      },
      setMany: inner.setMany.bind(inner),
      deleteMany: inner.deleteMany.bind(inner),
      close: () => asked.push('closed'),
    }
    const files = await open('memory:', { env: {}, signing, cache })
    await files.signedUrl('a')
    await files.close()
    expect(asked.length).toBeGreaterThan(0)
    expect(asked).not.toContain('closed')
  })

  it('stands inside of records', async () => {
    const options = { env: {}, signing, cache: 'memory:', records: 'sqlite::memory:', tenant: 't' }
    const files = await open('memory:', options)
    onTestFinished(() => files.close())
    expect(files.capabilities.layers).toEqual(['records', 'cacheSignedUrls'])
    await files.upload('a', '1')
    const [first] = await files.signedUrls(['a'])
    expect(await files.signedUrls(['a'])).toEqual([first])
    expect(first).toMatchObject({ ok: true })
  })

  it.each<[string, RegExp]>([
    ['memcached://host', /no URL of a cache; known are memory:, redis:/],
    ['memory:name', /no URL of a cache/],
    ['redis:', /REDIS_URL, which is not set/],
    ['redis:host', /must begin with redis:\/\//],
    ['redis://:hunter2@host', /no password/],
    ['redis://host?password=hunter2', /no password/],
    ['nonsense://:hunter2@host', /no URL of a cache/],
  ])('refuses %s', async (cache, message) => {
    const failure = await open('memory:', { env: {}, signing, cache }).catch(error => error)
    expect(failure).toEqual(refused(message))
    expect(JSON.stringify(failure) + failure.stack).not.toContain('hunter2')
  })

  it('refuses a store that signs no URLs', async () => {
    await expect(open('memory:', { env: {}, cache: 'memory:' })).rejects.toEqual(refused(/signs no URLs/))
  })
})

describeWithTool('redis-server', 'open with a cache in Redis', command => {
  let server: RunningRedis
  let client: Redis
  beforeAll(async () => {
    server = await startRedis(command)
    client = new Redis(server.url)
  })
  afterAll(async () => {
    client.disconnect()
    await server.stop()
  })
  beforeEach(() => client.flushall())
  const connections = async () => String(await client.client('LIST')).match(/^id=\d+/gm)!

  it.each([
    ['by its URL', false, {}],
    ['by REDIS_URL', true, {}],
    ['with records', false, { records: 'sqlite::memory:', tenant: 't' }],
  ])('%s connects when it is needed, and closes with the provider', async (_, named, more) => {
    const before = new Set(await connections())
    const opened = async () => (await connections()).filter(id => !before.has(id)).length
    const options = { env: { REDIS_URL: server.url }, signing, cache: named ? 'redis:' : server.url }
    const files = await open('memory:', { ...options, ...more })
    expect(await opened()).toBe(0)
    await files.upload('a', '1')
    await expect
      .poll(async () => {
        expect((await files.signedUrls(['a']))[0]).toMatchObject({ ok: true })
        return client.dbsize()
      })
      .toBe(2)
    expect(await opened()).toBe(1)
    await files.close()
    await expect.poll(opened).toBe(0)
  })
})
