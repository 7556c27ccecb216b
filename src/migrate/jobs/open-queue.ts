import type { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { StorageError } from '../../core/errors.ts'
import { loadPeer } from '../../core/peer.ts'
import type { RangeJob } from './range-job.ts'

export type JobQueue = Queue<RangeJob, void, string>
export type JobWorker = Worker<RangeJob, void, string>

/** The queue of one migration, and what makes workers of it. */
export interface OpenQueue {
  readonly bullmq: typeof import('bullmq')
  readonly queue: JobQueue
  readonly name: string
  readonly prefix: string
  /** A connection for a worker: it waits for a Redis that is away. Closed with the queue. */
  connection(): Redis
  close(): Promise<void>
}

const CONNECT_MS = 5_000

/**
 * Connects to Redis and opens the queue.
 *
 * @throws `unsupported` where bullmq or ioredis is not installed; `unavailable` where Redis does not answer
 */
export async function openQueue(url: string, name: string, prefix: string): Promise<OpenQueue> {
  const [bullmq, { Redis }] = await loadPeer(
    () => Promise.all([import('bullmq'), import('ioredis')]),
    'migrationJobs()',
    'bullmq ioredis',
  )
  const opened: Redis[] = []
  const connect = (maxRetriesPerRequest: number | null) => {
    const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest, connectTimeout: CONNECT_MS })
    // It connects again by itself; a command that was lost to it fails by its own.
    client.on('error', () => {})
    opened.push(client)
    return client
  }
  const first = connect(2)
  try {
    await first.connect()
  } catch (error) {
    first.disconnect()
    throw unavailable(error)
  }
  const queue: JobQueue = new bullmq.Queue(name, { connection: first, prefix })
  queue.on('error', () => {})
  return {
    bullmq,
    queue,
    name,
    prefix,
    connection: () => connect(null),
    async close() {
      await queue.close()
      for (const client of opened) client.disconnect()
    },
  }
}

/** Of a failure that Redis or its client tells, without an address: that may hold a password. */
export function unavailable(cause: unknown): StorageError {
  const code = (cause as { code?: unknown }).code
  return new StorageError(
    'unavailable',
    `migrationJobs: Redis does not answer${typeof code === 'string' ? ` (${code})` : ''}; is it running and is the address right?`,
    { operation: 'migrate' },
  )
}
