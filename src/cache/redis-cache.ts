import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import { loadPeer } from '../core/peer.ts'
import { clusterSlot } from './cluster-slot.ts'
import { type OwnClient, type RedisClient, ready, replies, withoutCommand } from './redis-client.ts'
import { readsReplicas, SENT_ONCE, SENT_ONCE_IN_CLUSTER, sentOnce } from './sent-once.ts'
import type { CacheEntry, SignedUrlCache } from './signed-url-cache.ts'

export type { RedisClient } from './redis-client.ts'

/** A connection to be opened here, to one server or to a Cluster. */
export interface RedisCacheConnection {
  /** `redis://user:password@host:6379/0`, or `rediss://…` over TLS. */
  url?: string
  /** URLs of some nodes of a Cluster. */
  cluster?: readonly string[]
}

export interface RedisCacheOptions {
  /** Stands before every key. Default: `stowage:`. */
  keyPrefix?: string
}

export interface RedisCache extends SignedUrlCache {
  /**
   * Resolves when the connection stands. The first call opens it, too, but has no more time for that than for an answer:
   * call this when the process starts, so that its first URLs come from the cache.
   *
   * @throws `unavailable` where there is no connection to be had; a later call tries again. `unsupported` where ioredis
   *   is not installed
   */
  connect(): Promise<void>
  /** Closes the connection that was opened here; a client of yours stays open. */
  close(): Promise<void>
}

/**
 * Keeps signed URLs in Redis 6 or later, for all processes: one server, a Cluster, or what speaks like it. Uses MGET, SET
 * NX PX, GET, PTTL, PEXPIRE and DEL, no scripts. Needs the package `ioredis`, 5.4 to 6, as a client of yours or to open
 * one.
 *
 * What must not be sent twice goes over one more connection, which is opened beside a client of yours and ends with it,
 * unless that has `autoResendUnfulfilledCommands: false` (a `Cluster`: `retryDelayOnFailover: 0`). Whoever may write to
 * Redis decides which URLs are handed out.
 *
 * @throws `invalid-argument`; `unsupported`, from the first call on, where ioredis is not installed
 * @example
 * ```ts
 * const cache = redisCache(redis)
 * const ours = redisCache({ url: 'redis://127.0.0.1:6379' }, { keyPrefix: 'photos:' })
 * ```
 */
export function redisCache(
  client: RedisClient | RedisCacheConnection,
  options: RedisCacheOptions = {},
): RedisCache {
  assertFactoryOptions('redisCache', options, { keyPrefix: 'string' })
  return new RedisUrlCache(client, options.keyPrefix ?? 'stowage:')
}

class RedisUrlCache implements RedisCache {
  readonly #given: RedisClient | undefined
  readonly #connection: RedisCacheConnection | undefined
  readonly #prefix: string
  #opening: Promise<OwnClient> | undefined
  #closed = false

  constructor(client: RedisClient | RedisCacheConnection, prefix: string) {
    if (typeof (client as Partial<RedisClient> | undefined)?.mget === 'function')
      this.#given = client as RedisClient
    else this.#connection = checkedConnection(client as RedisCacheConnection)
    this.#prefix = prefix
  }

  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    if (keys.length === 0) return []
    const client = await this.#reader()
    const full = keys.map(key => this.#prefix + key)
    if (client.isCluster !== true)
      return (await client.mget(full).catch(rethrow)).map(value => value ?? undefined)
    const values = new Array<string | undefined>(keys.length)
    await this.#perNode(client, full, 'again', async (pipeline, bySlot) => {
      const places = [...bySlot.values()]
      for (const some of places) pipeline.mget(some.map(at => full[at]!))
      const answers = (await replies(pipeline)) as (string | null)[][]
      for (const [index, found] of answers.entries())
        for (const [n, at] of places[index]!.entries()) values[at] = found[n] ?? undefined
    })
    return values
  }

  async setMany(entries: readonly CacheEntry[]): Promise<string[]> {
    const client = await ready(sentOnce(await this.#client()))
    const full = entries.map(({ key }) => this.#prefix + key)
    const winners = new Array<string>(entries.length)
    await this.#perNode(client, full, 'once', async (pipeline, bySlot) => {
      const places = [...bySlot.values()].flat()
      for (const at of places) {
        const key = full[at]!
        pipeline.set(key, entries[at]!.value, 'PX', ttlOf(entries[at]!), 'NX')
        pipeline.get(key)
        pipeline.pttl(key)
      }
      const answers = await replies(pipeline)
      const longer = client.pipeline()
      let count = 0
      places.forEach((at, index) => {
        const [set, there, ttl] = answers.slice(3 * index, 3 * index + 3)
        winners[at] = set === null && typeof there === 'string' ? there : entries[at]!.value
        if (set !== null || !(Number(ttl) >= 0 && Number(ttl) < entries[at]!.ttlMs)) return
        longer.pexpire(full[at]!, ttlOf(entries[at]!))
        count++
      })
      if (count > 0) await replies(longer)
    })
    return winners
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    const client = await this.#client()
    const full = keys.map(key => this.#prefix + key)
    await this.#perNode(client, full, 'again', async (pipeline, bySlot) => {
      for (const some of bySlot.values()) pipeline.del(some.map(at => full[at]!))
      await replies(pipeline)
    })
  }

  async connect(): Promise<void> {
    await ready(sentOnce(await this.#client()))
  }

  async close(): Promise<void> {
    this.#closed = true
    ;(await this.#opening?.catch(() => undefined))?.disconnect()
  }

  /**
   * A pipeline for each node that holds some of the keys, whose places are told by slot; all at once. Where a slot has
   * moved to another node, the rest of its pipeline has been done; `again`: it may be done once more, slot by slot, which
   * ioredis follows to wherever they are.
   */
  async #perNode(
    client: RedisClient,
    full: readonly string[],
    repeat: 'once' | 'again',
    work: (
      pipeline: ReturnType<RedisClient['pipeline']>,
      bySlot: ReadonlyMap<number, number[]>,
    ) => Promise<void>,
  ): Promise<void> {
    if (client.isCluster !== true)
      return work(client.pipeline(), new Map([[0, [...full.keys()]]])).catch(rethrow)
    const node = async (bySlot: ReadonlyMap<number, number[]>) => {
      try {
        await work(client.pipeline(), bySlot)
      } catch (error) {
        if (!MOVED.test(String((error as Error).message))) throw error
        client.refreshSlotsCache?.()
        if (repeat === 'once') throw error
        await Promise.all([...bySlot].map(slot => work(client.pipeline(), new Map([slot]))))
      }
    }
    await Promise.all([...byNode(client, full).values()].map(node)).catch(rethrow)
  }

  async #client(): Promise<RedisClient> {
    if (this.#closed) throw new StorageError('invalid-argument', 'redisCache: it has been closed')
    return ready(this.#given ?? (await this.#open()))
  }

  async #reader(): Promise<RedisClient> {
    const client = await this.#client()
    const once = sentOnce(client)
    if (readsReplicas(client)) return ready(once)
    // What is not found will be set: that connection may stand by then.
    if (once.status === 'wait') ready(once).catch(() => {})
    return client
  }

  #open(): Promise<OwnClient> {
    this.#opening ??= openClient(this.#connection!).catch(error => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }
}

/** What Redis, and ioredis before it asks, say of slots that are not where they were. */
const MOVED = /^(?:MOVED|ASK|TRYAGAIN) |^All keys in the pipeline/

/** The places of the keys by slot, for each node. */
function byNode(client: RedisClient, full: readonly string[]): Map<string, Map<number, number[]>> {
  const prefix = client.options?.keyPrefix ?? ''
  const nodes = new Map<string, Map<number, number[]>>()
  full.forEach((key, at) => {
    const slot = clusterSlot(prefix + key)
    const node = client.slots?.[slot]?.join(';') ?? `slot ${slot}`
    const bySlot = nodes.get(node) ?? new Map<number, number[]>()
    nodes.set(node, bySlot)
    bySlot.set(slot, [...(bySlot.get(slot) ?? []), at])
  })
  return nodes
}

function rethrow(error: unknown): never {
  throw withoutCommand(error)
}

function ttlOf({ ttlMs }: CacheEntry): number {
  return Math.max(1, Math.ceil(ttlMs))
}

async function openClient({ url, cluster }: RedisCacheConnection): Promise<OwnClient> {
  const { Redis, Cluster } = await loadPeer(() => import('ioredis'), 'redisCache', 'ioredis')
  const client =
    cluster === undefined
      ? new Redis(url!, SENT_ONCE)
      : new Cluster([...cluster], { ...SENT_ONCE_IN_CLUSTER, redisOptions: SENT_ONCE })
  // Failures are those of the calls; without a listener ioredis writes them to the console.
  client.on('error', () => {})
  // Redis and Cluster have more overloads than TypeScript can hold against our one interface.
  return client as unknown as OwnClient
}

/** @throws `invalid-argument`; never repeats a URL, which may hold a password */
function checkedConnection(connection: RedisCacheConnection): RedisCacheConnection {
  assertFactoryOptions('redisCache', connection, { url: 'string', cluster: 'array' })
  const { url, cluster } = connection
  const urls: readonly unknown[] = cluster ?? [url]
  if ((url === undefined) === (cluster === undefined) || urls.length === 0)
    throw new StorageError('invalid-argument', 'redisCache: give a client of ioredis, or url, or cluster')
  if (!urls.every(one => typeof one === 'string' && /^rediss?:\/\/./.test(one)))
    throw new StorageError('invalid-argument', 'redisCache: a URL must begin with redis:// or rediss://')
  return connection
}
