import { inspect } from 'node:util'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { clusterSlot } from '../../src/cache/cluster-slot.ts'
import { type RedisCache, type RedisCacheConnection, redisCache } from '../../src/cache/index.ts'
import type { StorageError } from '../../src/core/errors.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { type RunningCluster, type RunningRedis, startRedis, startRedisCluster } from '../support/redis.ts'
import { refused } from '../support/refused.ts'
import { commandsOn } from './redis-commands.ts'

const HOUR_MS = 3_600_000

/** What a cache owes, on one server and on a Cluster. */
function keepsItsWord(cacheOf: () => RedisCache, ttl: (key: string) => Promise<number>): void {
  const keys = ['a', '{b}', '{b}:GET', 'c d\n', 'é☺', '{}', '}{']
  const entries = (value: string, ttlMs = HOUR_MS) => keys.map(key => ({ key, value: value + key, ttlMs }))

  it('gives back what was set, in the order of the keys', async () => {
    const cache = cacheOf()
    expect(await cache.getMany(keys)).toEqual(keys.map(() => undefined))
    expect(await cache.setMany(entries('1'))).toEqual(keys.map(key => `1${key}`))
    const turned = [...keys].reverse()
    expect(await cache.getMany(turned)).toEqual(turned.map(key => `1${key}`))
    expect(await cache.getMany([])).toEqual([])
  })

  it('leaves what is there and returns it, and makes it live as long as was asked', async () => {
    const cache = cacheOf()
    await cache.setMany(entries('1').slice(0, 3))
    expect(await cache.setMany(entries('2', 2 * HOUR_MS))).toEqual(
      keys.map((key, at) => `${at < 3 ? 1 : 2}${key}`),
    )
    for (const key of keys) expect(await ttl(key)).toBeGreaterThan(HOUR_MS)
    await cache.setMany(entries('3', 5))
    for (const key of keys) expect(await ttl(key)).toBeGreaterThan(HOUR_MS)
  })

  it('gives one winner to all who set one key at once', async () => {
    const cache = cacheOf()
    const winners = await Promise.all(['1', '2', '3'].map(value => cache.setMany(entries(value))))
    expect(new Set(winners.map(String)).size).toBe(1)
    expect(await cache.getMany(keys)).toEqual(winners[0])
  })

  it('deletes what is named and nothing else', async () => {
    const cache = cacheOf()
    await cache.setMany(entries('1'))
    await cache.deleteMany(['{b}', 'never there'])
    expect(await cache.getMany(keys)).toEqual(keys.map(key => (key === '{b}' ? undefined : `1${key}`)))
    await cache.deleteMany([])
    await cache.deleteMany(keys)
    expect(await cache.getMany(keys)).toEqual(keys.map(() => undefined))
  })
}

/** Over a client that is given, and over one that the cache opens by itself. */
function keepsItsWordEitherWay(client: () => Redis | Cluster, connection: () => RedisCacheConnection): void {
  const ttlOf = (key: string) => client().pttl(`stowage:${key}`)

  describe('with a client of yours', () => keepsItsWord(() => redisCache(client()), ttlOf))

  describe('with a connection of its own', () => {
    let own: RedisCache
    beforeAll(() => {
      own = redisCache(connection())
    })
    afterAll(() => own.close())
    keepsItsWord(() => own, ttlOf)
  })
}

describeWithTool('redis-server', 'redisCache on one server', command => {
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

  keepsItsWordEitherWay(
    () => client,
    () => ({ url: server.url }),
  )

  it('puts its prefix before every key', async () => {
    await redisCache(client, { keyPrefix: 'mine:' }).setMany([{ key: 'a', value: '1', ttlMs: 1000 }])
    expect(await client.keys('*')).toEqual(['mine:a'])
  })

  it('uses plain commands: MGET to read, SET NX to keep, DEL to forget', async () => {
    const cache = redisCache(client)
    await cache.getMany(['a'])
    const monitor = await client.monitor()
    onTestFinished(() => monitor.disconnect())
    const seen: string[] = []
    monitor.on('monitor', (_, args: string[]) => seen.push(args[0]!.toLowerCase()))
    await cache.getMany(['a', 'b'])
    await cache.setMany([{ key: 'a', value: '1', ttlMs: 1000 }])
    await cache.setMany([{ key: 'a', value: '2', ttlMs: 2000 }])
    await cache.deleteMany(['a', 'b'])
    await client.ping()
    expect(seen).toEqual(['mget', 'set', 'get', 'pttl', 'set', 'get', 'pttl', 'pexpire', 'del', 'ping'])
  })

  it.each([
    ['getMany', 'mget'],
    ['deleteMany', 'del'],
  ] as const)('%s of 100 keys is one %s', async (method, command) => {
    const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`)
    const cache = redisCache(client)
    await cache.getMany(keys)
    const [seen] = await commandsOn([server.url], async () => void (await cache[method](keys)))
    expect(seen).toEqual([[command, ...keys.map(key => `stowage:${key}`)]])
  })

  it('closes its own connection, and leaves a client of yours open', async () => {
    const ids = async () => String(await client.client('LIST')).match(/^id=\d+/gm)!
    // By their ids: those of the tests before may be going still.
    const before = new Set(await ids())
    const opened = async () => (await ids()).filter(id => !before.has(id)).length
    const own = redisCache({ url: server.url })
    await own.getMany(['a'])
    expect(await opened()).toBe(1)
    await own.close()
    await own.close()
    await expect(own.getMany(['a'])).rejects.toThrow(/has been closed/)
    await redisCache(client).close()
    expect(await client.ping()).toBe('PONG')
    await expect.poll(opened).toBe(0)
  })

  it('connects a client that has not begun to', async () => {
    const lazy = new Redis(server.url, { lazyConnect: true })
    onTestFinished(() => lazy.disconnect())
    expect(await Promise.all([1, 2].map(() => redisCache(lazy).getMany(['a'])))).toEqual([
      [undefined],
      [undefined],
    ])
  })

  it('says at once that there is no Redis to connect to, and finds one that comes later', async () => {
    const lost = await startRedis(command)
    onTestFinished(() => lost.stop())
    await lost.kill()
    const own = redisCache({ url: lost.url })
    onTestFinished(() => own.close())
    await expect(own.connect()).rejects.toMatchObject({ code: 'unavailable' })
    await lost.restart()
    await expect
      .poll(() => own.connect().then(() => 'connected', String), { timeout: 10_000 })
      .toBe('connected')
  })

  it('tells of failures without what was sent: URLs and passwords', async () => {
    const picky = await startRedis(command)
    onTestFinished(() => picky.stop())
    const admin = new Redis(picky.url)
    onTestFinished(() => admin.disconnect())
    const entry = { key: 'a', value: 'id 1 https://store/a?X-Amz-Signature=secret', ttlMs: HOUR_MS }
    const failures: unknown[] = []
    const fail = (work: Promise<unknown>) =>
      work.then(
        () => failures.push('none'),
        error => failures.push(error),
      )
    await admin.config('SET', 'maxmemory', '1')
    await fail(redisCache(admin).setMany([entry]))
    await admin.config('SET', 'maxmemory', '0')
    await admin.acl('SETUSER', 'default', '-set', '-mget')
    await fail(redisCache(admin).setMany([entry]))
    await fail(redisCache(admin).getMany(['secret']))
    await admin.acl('SETUSER', 'default', '+@all')
    await admin.config('SET', 'requirepass', 'right')
    const stranger = redisCache({ url: picky.url.replace('//', '//:secret@') })
    onTestFinished(() => stranger.close())
    await fail(stranger.getMany(['a']))
    expect(failures.map(one => (one as StorageError).code)).toEqual(failures.map(() => 'unavailable'))
    expect(String(failures[0])).toMatch(/OOM/)
    expect(inspect(failures, { depth: 9 })).not.toContain('secret')
  })

  it('fails at once with a client that has lost its connection, and leaves nothing in its queue', async () => {
    const lost = await startRedis(command)
    onTestFinished(() => lost.stop())
    const mine = new Redis(lost.url, { retryStrategy: () => 50 })
    onTestFinished(() => mine.disconnect())
    mine.on('error', () => {})
    const cache = redisCache(mine)
    await cache.setMany([{ key: 'a', value: '1', ttlMs: HOUR_MS }])
    await lost.kill()
    await expect.poll(() => mine.status).not.toBe('ready')
    for (const call of [
      () => cache.getMany(['a']),
      () => cache.setMany([{ key: 'a', value: '2', ttlMs: HOUR_MS }]),
      () => cache.deleteMany(['a']),
    ]) {
      if (mine.status !== 'reconnecting' && mine.status !== 'close') break
      await expect(call()).rejects.toMatchObject({ code: 'unavailable' })
    }
    await lost.restart()
    await expect.poll(() => mine.status).toBe('ready')
    expect(await cache.getMany(['a'])).toEqual([undefined])
  })
})

describeWithTool('redis-server', 'redisCache on a Cluster', command => {
  let cluster: RunningCluster
  let client: Cluster
  beforeAll(async () => {
    cluster = await startRedisCluster(command)
    client = new Cluster([...cluster.urls])
    await client.ping()
  }, 60_000)
  afterAll(async () => {
    client.disconnect()
    await cluster.stop()
  })
  beforeEach(async () => {
    for (const node of client.nodes('master')) await node.flushall()
  })

  keepsItsWordEitherWay(
    () => client,
    () => ({ cluster: cluster.urls }),
  )

  it('spreads keys over all nodes and finds them again, also with a prefix of the client', async () => {
    const prefixed = new Cluster([...cluster.urls], { keyPrefix: 'app:' })
    onTestFinished(() => prefixed.disconnect())
    const cache = redisCache(prefixed)
    const keys = Array.from({ length: 500 }, (_, n) => `{key ${n}}${n % 2 ? ':GET' : ''}`)
    await cache.setMany(keys.map(key => ({ key, value: key, ttlMs: HOUR_MS })))
    expect(await cache.getMany(keys)).toEqual(keys)
    const sizes = await Promise.all(client.nodes('master').map(node => node.dbsize()))
    expect(sizes.reduce((sum, size) => sum + size)).toBe(500)
    for (const size of sizes) expect(size).toBeGreaterThan(100)
  })

  it.each([
    ['getMany', 'mget'],
    ['deleteMany', 'del'],
  ] as const)('%s is one %s per slot, and one pipeline per node', async (method, command) => {
    // Two keys in each of 50 slots, on all nodes.
    const keys = Array.from({ length: 100 }, (_, n) => `{object ${n % 50}}${n < 50 ? '' : ':GET'}`)
    const cache = redisCache(client)
    await cache.setMany(keys.map(key => ({ key, value: key, ttlMs: HOUR_MS })))
    const pipelines = vi.spyOn(client, 'pipeline')
    onTestFinished(() => pipelines.mockRestore())
    const byNode = await commandsOn(cluster.urls, async () => {
      expect(await cache[method](keys)).toEqual(method === 'getMany' ? keys : undefined)
    })
    expect(pipelines).toHaveBeenCalledTimes(3)
    for (const some of byNode) expect(some.length).toBeGreaterThan(0)
    const seen = byNode.flat()
    expect(new Set(seen.map(([name]) => name))).toEqual(new Set([command]))
    const slots = new Set(keys.map(key => clusterSlot(`stowage:${key}`)))
    expect(seen.length).toBe(slots.size)
    expect(new Set(seen.map(([, first]) => clusterSlot(first!)))).toEqual(slots)
    expect(seen.flatMap(([, ...some]) => some).sort()).toEqual(keys.map(key => `stowage:${key}`).sort())
  })

  it.each(['getMany', 'deleteMany'] as const)('%s follows a slot to another node', async method => {
    const moving = new Cluster([...cluster.urls])
    onTestFinished(() => moving.disconnect())
    await moving.ping()
    const cache = redisCache(moving)
    const slotOf = (key: string) => clusterSlot(`stowage:${key}`)
    const holder = (key: string) => moving.slots[slotOf(key)]![0]
    // Three keys on one node, one of which goes to another.
    const keys = Array.from({ length: 100 }, (_, n) => `${method} ${n}`)
    const [goes, ...stay] = keys.filter(key => holder(key) === holder(keys[0]!)).slice(0, 3)
    const slot = slotOf(goes!)
    await cache.setMany(stay.map(key => ({ key, value: key, ttlMs: HOUR_MS })))
    const nodes = cluster.nodes.map(node => new Redis(node.url))
    onTestFinished(() => {
      for (const node of nodes) node.disconnect()
    })
    const target = nodes[cluster.nodes.findIndex(({ port }) => !holder(goes!)!.endsWith(`:${port}`))]!
    const id = String(await target.cluster('MYID'))
    for (const node of [target, ...nodes]) await node.cluster('SETSLOT', slot, 'NODE', id)
    await target.set(`stowage:${goes}`, goes!)
    const all = [goes!, ...stay]
    if (method === 'deleteMany') await cache.deleteMany(all)
    const kept = method === 'getMany' ? all : all.map(() => undefined)
    expect(await cache.getMany(all)).toEqual(kept)
  })

  it('reads nothing from replicas, whatever a client of yours does', async () => {
    const lagging = new Cluster([...cluster.urls], { scaleReads: 'slave' })
    onTestFinished(() => lagging.disconnect())
    await lagging.ping()
    const asked = vi.spyOn(lagging, 'pipeline')
    const cache = redisCache(lagging)
    await cache.setMany([{ key: 'a', value: '1', ttlMs: HOUR_MS }])
    expect(await cache.getMany(['a'])).toEqual(['1'])
    expect(asked).not.toHaveBeenCalled()
  })

  it('knows the slots as the server does', async () => {
    for (const key of [
      '',
      'a',
      '123456789',
      '{user}.a',
      'x{}y',
      '{a}{b}',
      '}{',
      'é☺',
      'a{b',
      'stowage:{s3://a/b/c}:GET',
    ])
      expect([key, clusterSlot(key)]).toEqual([key, await client.cluster('KEYSLOT', key)])
  })
})

describe('redisCache', () => {
  it.each<[unknown, RegExp]>([
    [undefined, /options must be an object/],
    [{}, /give a client of ioredis, or url, or cluster/],
    [{ url: 'redis://a', cluster: ['redis://a'] }, /give a client of ioredis, or url, or cluster/],
    [{ cluster: [] }, /give a client of ioredis, or url, or cluster/],
    [{ url: 'http://user:secret@a' }, /^(?!.*secret).*must begin with redis/],
    [{ host: 'a' }, /unknown option 'host'/],
  ])('refuses the connection %o', (connection, message) => {
    expect(() => redisCache(connection as never)).toThrow(refused(message))
  })

  it('refuses unknown options', () => {
    expect(() => redisCache({ url: 'redis://a' }, { prefix: 'a' } as never)).toThrow(
      refused(/unknown option 'prefix'/),
    )
  })
})
