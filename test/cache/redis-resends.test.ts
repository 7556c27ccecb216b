import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { redisCache } from '../../src/cache/index.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { Signer } from './stack.ts'

/**
 * A port that leads to Redis. `swallow` has the next SET NX executed there, keeps its answer from whoever asked, and cuts
 * the connections; nobody gets through until `heal`.
 */
async function unreliableWay(port: number) {
  const sockets = new Set<Socket>()
  let swallowing = false
  let whole = true
  let swallowed = () => {}
  const server = createServer(client => {
    const redis = connect(port, '127.0.0.1')
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    let cut = !whole
    if (cut) return client.destroy()
    client.on('data', chunk => {
      if (swallowing && String(chunk).includes('\r\nNX\r\n')) {
        cut = true
        whole = false
        swallowing = false
      }
      redis.write(chunk)
    })
    redis.on('data', chunk => {
      if (!cut) return void client.write(chunk)
      for (const socket of sockets) socket.destroy()
      swallowed()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow: () =>
      new Promise<void>(resolve => {
        swallowing = true
        swallowed = resolve
      }),
    heal: () => {
      whole = true
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describeWithTool('redis-server', 'a client that sends again what was not answered', command => {
  let server: RunningRedis
  let direct: Redis
  beforeAll(async () => {
    server = await startRedis(command)
    direct = new Redis(server.url)
  })
  afterAll(async () => {
    direct.disconnect()
    await server.stop()
  })

  it('brings no generation back that has been deleted meanwhile', async () => {
    const way = await unreliableWay(server.port)
    onTestFinished(way.close)
    // As ioredis does unless told otherwise: what was under way when the connection went is sent over the next.
    const client = new Redis(way.url, { retryStrategy: () => 20 })
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    const signer = new Signer()
    const here = signer.cached({ cache: redisCache(client), cacheTimeoutMs: 2000, coolDownMs: 20 })
    const there = signer.cached({ cache: redisCache(direct) })
    await here.signedUrl('other')
    const swallowed = way.swallow()
    const first = here.signedUrl('a')
    await swallowed
    // The generation that nobody here knows of is used there, and deleted.
    const { url } = await there.signedUrl('a')
    expect((await there.signedUrl('a')).url).toBe(url)
    await there.delete('a')
    way.heal()
    await first
    await expect.poll(() => client.status, { timeout: 10_000 }).toBe('ready')
    await client.ping()
    expect((await there.signedUrl('a')).url).not.toBe(url)
  }, 30_000)

  it('ends with yours', async () => {
    const clients = async () =>
      String(await direct.client('LIST'))
        .trim()
        .split('\n').length
    const before = await clients()
    const client = new Redis(server.url)
    for (let n = 0; n < 3; n++) await redisCache(client).setMany([{ key: `${n}`, value: '1', ttlMs: 1000 }])
    // One beside yours for all of them: what must not be sent twice goes over it.
    expect(await clients()).toBe(before + 2)
    client.disconnect()
    await expect.poll(clients, { timeout: 10_000 }).toBe(before)
  })
})
