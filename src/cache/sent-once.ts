import type { OwnClient, RedisClient } from './redis-client.ts'

/** The part of ioredis' options that decides where and how often a command is sent. */
interface SendingOptions {
  readonly keyPrefix?: string | undefined
  readonly autoResendUnfulfilledCommands?: boolean
  readonly retryDelayOnFailover?: number
  readonly scaleReads?: unknown
}

type Duplicated = RedisClient & { duplicate?(...overrides: object[]): OwnClient }

/**
 * For a server: what was under way when the connection went is not sent again, and nothing later than it was meant to be:
 * who asked has gone on without an answer.
 */
export const SENT_ONCE = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  lazyConnect: true,
} as const

/** The same for a Cluster, which sends pipelines of a lost node to the next. */
export const SENT_ONCE_IN_CLUSTER = {
  enableOfflineQueue: false,
  lazyConnect: true,
  retryDelayOnFailover: 0,
  scaleReads: 'master',
} as const

const BESIDE = new WeakMap<RedisClient, OwnClient>()

/**
 * A client that sends each command once: `client` itself, or one connection beside it, for all who use it, that ends
 * with it. A generation that is set twice could come back after it was deleted in between, and with it dead URLs.
 */
export function sentOnce(client: RedisClient): RedisClient {
  const { isCluster = false, duplicate } = client as Duplicated
  const options: SendingOptions = client.options ?? {}
  const once = isCluster
    ? options.retryDelayOnFailover === 0
    : options.autoResendUnfulfilledCommands === false
  if (duplicate === undefined || (once && !readsReplicas(client))) return client
  const known = BESIDE.get(client)
  if (known !== undefined && known.status !== 'end') return known
  // One that has gone is replaced when it is needed, so that none goes on connecting for nobody.
  const own = isCluster
    ? duplicate.call(client, [], { ...SENT_ONCE_IN_CLUSTER, clusterRetryStrategy: () => null })
    : duplicate.call(client, { ...SENT_ONCE, retryStrategy: () => null })
  own.on('error', () => {})
  if (known === undefined) (client as OwnClient).on('end', () => BESIDE.get(client)?.disconnect())
  BESIDE.set(client, own)
  return own
}

/** Whether what is read may be what a replica has not heard of yet. */
export function readsReplicas(client: RedisClient): boolean {
  const { scaleReads = 'master' }: SendingOptions = client.options ?? {}
  return client.isCluster === true && scaleReads !== 'master'
}
