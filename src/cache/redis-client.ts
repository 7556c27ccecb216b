import { StorageError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'

/** The subset of ioredis that is used: a `Redis` or a `Cluster` of its versions 5.4 to 6. */
export interface RedisClient {
  readonly status: string
  readonly isCluster?: boolean
  /** The nodes of each slot, of a `Cluster`. */
  readonly slots?: readonly (readonly string[] | undefined)[]
  readonly options?: { readonly keyPrefix?: string | undefined }
  mget(keys: string[]): Promise<(string | null)[]>
  del(keys: string[]): Promise<unknown>
  pipeline(): RedisPipeline
  connect(): Promise<unknown>
  once(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
  refreshSlotsCache?(): void
}

export interface RedisPipeline {
  set(key: string, value: string, unit: 'PX', ttlMs: number, when: 'NX'): unknown
  get(key: string): unknown
  mget(keys: string[]): unknown
  del(keys: string[]): unknown
  pttl(key: string): unknown
  pexpire(key: string, ttlMs: number): unknown
  exec(): Promise<[error: Error | null, result: unknown][] | null>
}

/** A client that was opened here, to be closed here. */
export interface OwnClient extends RedisClient {
  disconnect(): void
  on(event: string, listener: () => void): unknown
}

/** The replies of a pipeline. @throws the first error among them */
export async function replies(pipeline: RedisPipeline): Promise<unknown[]> {
  const all = (await pipeline.exec()) ?? []
  return all.map(([error, result]) => {
    if (error !== null) throw error
    return result
  })
}

/** What a client is before its first connection stands. */
const BEGINNING: ReadonlySet<string> = new Set(['wait', 'connecting', 'connect'])
const BEGUN = new WeakMap<RedisClient, Promise<void>>()

/**
 * The client, when it will send at once. One that has lost its connection would queue commands, and send them who knows
 * when. @throws `unavailable`
 */
export async function ready<Client extends RedisClient>(client: Client): Promise<Client> {
  if (client.status === 'ready') return client
  if (client.status === 'wait') client.connect().catch(() => {})
  if (!BEGINNING.has(client.status)) throw notConnected(client)
  const begun = BEGUN.get(client) ?? firstConnection(client).finally(() => BEGUN.delete(client))
  BEGUN.set(client, begun)
  await begun
  return client
}

function firstConnection(client: RedisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void) => () => {
      for (const [event, listener] of listeners) client.off(event, listener)
      settle()
    }
    const failed = over(() => reject(notConnected(client)))
    const listeners = [
      ['ready', over(resolve)],
      ['close', failed],
      ['end', failed],
    ] as const
    for (const [event, listener] of listeners) client.once(event, listener)
  })
}

function notConnected({ status }: RedisClient): StorageError {
  return new StorageError('unavailable', `redisCache: the client is not connected, but '${status}'`)
}

/** An error without what was sent: ioredis hangs it on its own, and Redis repeats it of a command that it does not know. */
export function withoutCommand(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new StorageError(
    'unavailable',
    `redisCache: ${redact(message.replace(/,? with args beginning with.*/s, ''))}`,
  )
}
