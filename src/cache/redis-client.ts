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
