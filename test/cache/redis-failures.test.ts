import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { redisCache } from '../../src/cache/index.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { gate, Signer, settle } from './stack.ts'

/** Longer than any call here may take on a busy machine, and far below ioredis' own patience. */
const BOUND_MS = 3_000

describeWithTool('redis-server', 'cacheSignedUrls over Redis', command => {
  let server: RunningRedis
  let client: Redis
  const clients: Redis[] = []
  const connect = () => {
    const one = new Redis(server.url, { retryStrategy: () => 50 })
    one.on('error', () => {})
    clients.push(one)
    return one
  }
  beforeAll(async () => {
    server = await startRedis(command)
    client = connect()
  })
  afterAll(async () => {
    for (const one of clients) one.disconnect()
    await server.stop()
  })
  beforeEach(async () => {
    await client.flushall()
  })

  /** A process of its own in all that matters: its own connection, its own memory. */
  async function processOver(signer: Signer, options: object = {}) {
    const redis = connect()
    await redis.ping()
    return signer.cached({ cache: redisCache(redis), coolDownMs: 20, ...options })
  }

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const result = await work()
    expect(performance.now() - began).toBeLessThan(BOUND_MS)
    return result
  }

  it('hands out one URL in two processes, also where both sign at once', async () => {
    const signer = new Signer()
    const [here, there] = [await processOver(signer), await processOver(signer)]
    const keys = Array.from({ length: 50 }, (_, n) => `k${n}`)
    const [first, second] = await Promise.all([here.signedUrls(keys), there.signedUrls(keys)])
    expect(second).toEqual(first)
    expect(await there.signedUrls(keys)).toEqual(first)
  })

  it('writes plain values that end by themselves, under the location and the key', async () => {
    const signer = new Signer()
    const files = await processOver(signer)
    const { url, expiresAt } = await files.signedUrl('a/b.jpg')
    const object = `stowage:1{${files.location}a/b.jpg}`
    const generation = await client.get(object)
    expect(await client.get(`${object}:GET2592000`)).toBe(`${generation} ${expiresAt.getTime()} ${url}`)
    expect(await client.dbsize()).toBe(2)
    const life = 30 * 86_400_000 - 3_600_000
    expect(await client.pttl(`${object}:GET2592000`)).toBeLessThanOrEqual(life)
    expect(await client.pttl(object)).toBeGreaterThan(life - 60_000)
  })

  it('ends URLs in the other process, and a signing that was under way there revives none', async () => {
    const signer = new Signer()
    const [here, there] = [await processOver(signer), await processOver(signer)]
    const { url } = await here.signedUrl('a')
    const { opened, open } = gate()
    signer.gate = opened
    const late = there.signedUrls(['a', 'b'], { expiresIn: 86_400 })
    await expect.poll(() => signer.requests.length).toBe(2)
    signer.gate = undefined
    await here.delete('a')
    open()
    const [lateA] = await late
    const fresh = await there.signedUrl('a')
    expect(fresh.url).not.toBe(url)
    const [again] = await here.signedUrls(['a'], { expiresIn: 86_400 })
    expect(again!.ok && again!.value.url).not.toBe(lateA!.ok && lateA!.value.url)
  })

  it('loses nothing but time when Redis loses its keys, one by one or all', async () => {
    const signer = new Signer()
    const files = await processOver(signer)
    const keys = ['a', 'b', 'c']
    const urls = async () => (await files.signedUrls(keys)).map(one => one.ok && one.value.url)
    const before = await urls()
    await client.flushall()
    const after = await urls()
    expect(after.some((url, at) => url === before[at])).toBe(false)
    expect(await urls()).toEqual(after)
    for (const name of await client.keys('*')) {
      await client.del(name)
      expect((await urls()).every(Boolean)).toBe(true)
    }
  })

  it('goes on when Redis has no room: it evicts, or refuses to write', async () => {
    const full = await startRedis(command, { maxmemory: '2mb', 'maxmemory-policy': 'noeviction' })
    onTestFinished(() => full.stop())
    const redis = new Redis(full.url)
    onTestFinished(() => redis.disconnect())
    const errors: unknown[] = []
    const signer = new Signer()
    const files = signer.cached({ cache: redisCache(redis), onError: error => errors.push(error) })
    const keys = Array.from({ length: 3000 }, (_, n) =>
      `a-long-name-to-fill-the-memory-${n}`.padEnd(200, 'x'),
    )
    expect((await files.signedUrls(keys)).every(one => one.ok)).toBe(true)
    expect(errors.map(String).join()).toMatch(/OOM/)
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    expect((await files.signedUrls(keys)).every(one => one.ok)).toBe(true)
    const { url } = await files.signedUrl('a')
    expect((await files.signedUrl('a')).url).toBe(url)
  })

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ['is paused', () => client.client('PAUSE', 1_500), async () => {}],
    ['stands still', async () => server.freeze(), async () => server.thaw()],
    ['has died', () => server.kill(), () => server.restart()],
  ])(
    'signs without a Redis that %s, in bounded time, deletes too, and comes back to it',
    async (what, down, up) => {
      const signer = new Signer()
      const files = await processOver(signer, { coolDownMs: 50, cacheTimeoutMs: 250 })
      await files.upload('a', 'x')
      const { url } = await files.signedUrl('a')
      await down()
      try {
        const signed = await bounded(() => files.signedUrl('a'))
        expect(signed.url).not.toBe(url)
        for (let n = 0; n < 20; n++) await bounded(() => files.signedUrls(['a', 'b']))
        expect(await bounded(() => files.delete('a'))).toMatchObject({ status: 'deleted' })
      } finally {
        await up()
      }
      const again = await expect
        .poll(
          async () => {
            const [one, two] = [await files.signedUrl('a'), await files.signedUrl('a')]
            return one.url === two.url && one.url
          },
          { timeout: 10_000 },
        )
        .toBeTruthy()
        .then(() => files.signedUrl('a'))
      // What could not be told when the object was deleted has been told since: here and in every other process.
      expect([what, again.url]).not.toEqual([what, url])
      const other = await processOver(signer)
      await expect.poll(async () => (await other.signedUrl('a')).url === url).toBe(false)
    },
    30_000,
  )

  it('gives one URL to processes that share nothing but Redis', async () => {
    const worker = fileURLToPath(new URL('./sign-in-process.ts', import.meta.url))
    const ask = async () => {
      const child = fork(worker, [server.url], { execArgv: ['--import', 'tsx'] })
      const [answer] = await once(child, 'message')
      await once(child, 'exit')
      return answer as string[]
    }
    const [first, second] = await Promise.all([ask(), ask()])
    expect(first).toHaveLength(5)
    expect(second).toEqual(first)
    expect(await ask()).toEqual(first)
    await settle()
  }, 60_000)
})
