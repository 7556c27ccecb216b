/**
 * What `cacheSignedUrls` needs of a cache: three methods over strings. A cache may lose anything at any time; that is
 * a miss. It may fail or hang; then URLs are signed without it, but for a `StorageError` with the code `unsupported`,
 * which says that it can never work and fails who asks for a URL. It must not bring back what was deleted.
 */
export interface SignedUrlCache {
  /** The value of each key, in their order; undefined where there is none. In one round trip where that is possible. */
  getMany(keys: readonly string[]): Promise<readonly (string | undefined)[]>
  /**
   * Sets each key that is absent, and leaves what is there, but sees to it that it lives for `ttlMs` at least. Returns
   * what is there now, per entry: of two processes that set one key, both get the value of the first.
   */
  setMany(entries: readonly CacheEntry[]): Promise<readonly string[]>
  /** Removes the keys. When it resolves, no `getMany` that begins, in any process, sees what they held. */
  deleteMany(keys: readonly string[]): Promise<void>
}

export interface CacheEntry {
  readonly key: string
  readonly value: string
  /** Milliseconds, whole and above zero. */
  readonly ttlMs: number
}
