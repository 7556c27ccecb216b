import type { SignedUrlCache } from './cache/signed-url-cache.ts'
import { StorageError } from './core/errors.ts'
import { assertFactoryOptions } from './core/factory-options.ts'
import type { StorageProvider } from './core/provider.ts'
import type { UrlSigning } from './core/url-token.ts'
import { openEngine } from './open/open-engine.ts'
import { s3OptionsOf } from './open/s3-options.ts'
import { parseStoreUrl, type StoreUrl } from './open/store-url.ts'
import type { RecordedFiles, RecordsOptions } from './records/index.ts'
import type { Engine } from './sql/engine.ts'

export type { CacheEntry, SignedUrlCache } from './cache/signed-url-cache.ts'
export type { UrlSigning } from './core/url-token.ts'
export { type OpenEngineOptions, openEngine } from './open/open-engine.ts'
export type { RecordedFiles, RecordsOptions } from './records/index.ts'
export type { Engine } from './sql/engine.ts'

export interface OpenOptions {
  /** Where secrets and defaults are looked up. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>
  /**
   * Makes signed URLs of `file:` and `memory:` possible; give the same to the server. Default:
   * `STOWAGE_URL_SECRET` and `STOWAGE_BASE_URL`, where both are set. `s3:` and `supabase:` sign by themselves.
   */
  signing?: UrlSigning
  /**
   * Where signed URLs are kept so that they stay the same, see `cacheSignedUrls`: `memory:`; `redis://host:6379/0` or
   * `rediss://host`, which needs ioredis; `redis:` for `REDIS_URL`, which may hold a password; or a cache of yours. What
   * is opened here is closed with the provider.
   */
  cache?: string | SignedUrlCache
}

export interface OpenRecordsOptions extends OpenOptions {
  /** Where the records are: the URL of a database, see `openEngine`. */
  records: string
  /** Whose files these are. Default: `STOWAGE_TENANT_ID`, else `default`. */
  tenant?: string
  /** What else `withRecords` takes. */
  recordsOptions?: RecordsOptions
}

/** Storage by name, for as long as the process lives. */
const named = new Map<string, { provider: StorageProvider; signing: string | undefined }>()

/**
 * A provider by its URL. Imports the adapter that the URL names and no other. Secrets come from the environment
 * only: `AWS_ACCESS_KEY_ID`, … as the AWS SDK finds them; `SUPABASE_SERVICE_ROLE_KEY` or `SUPABASE_KEY`, and
 * `SUPABASE_URL`; `STOWAGE_URL_SECRET`.
 *
 * | URL | store |
 * | --- | --- |
 * | `file:./data`, `file:/srv/data`, `file:///srv/data` | a folder |
 * | `memory:`, `memory:name` | memory of its own, or shared under that name in this process |
 * | `s3://bucket/prefix?endpoint=…&region=…&forcePathStyle=…` | S3 and servers that speak like it |
 * | `supabase://bucket/prefix?url=…` | Supabase Storage |
 *
 * A path after the bucket is a folder that is seen as the whole store. With `records` the files have records there: a
 * file and its record appear together and go together. With `cache` its signed URLs stay the same for days; ioredis is
 * loaded only where a cache in Redis is named, and where it is missing `signedUrl` says so.
 *
 * @throws `invalid-argument` for what it does not know, for secrets in a URL, and for a cache of a store that signs no
 *   URLs; `unsupported` with the line
 *   that installs them where packages are missing
 *
 * @example
 * ```ts
 * const files = await open('file:./data')
 * await files.upload('a/photo.jpg', createReadStream('photo.jpg'))
 *
 * const recorded = await open('s3://bucket', { records: 'sqlite:./records.db' })
 * await recorded.delete('a/photo.jpg', { also: [['DELETE FROM photos WHERE key = ?', 'a/photo.jpg']] })
 *
 * const cached = await open('s3://bucket', { cache: 'redis://127.0.0.1:6379' })
 * const { url } = await cached.signedUrl('a/photo.jpg') // the same in every process
 * ```
 */
export function open(url: string, options: OpenRecordsOptions): Promise<RecordedFiles>
export function open(url: string, options?: OpenOptions): Promise<StorageProvider>
export async function open(
  url: string,
  options: OpenOptions | OpenRecordsOptions = {},
): Promise<StorageProvider> {
  assertFactoryOptions<Partial<OpenRecordsOptions>>('open', options, {
    env: 'object',
    signing: 'object',
    cache: 'string or object',
    records: 'string',
    tenant: 'string',
    recordsOptions: 'object',
  })
  if ('records' in options && options.records !== undefined) return openRecords(url, options)
  const provider = await openStore(url, options)
  if (options.cache === undefined) return provider
  const { withCache } = await import('./open/open-cache.ts')
  try {
    return await withCache(provider, options.cache, options.env ?? process.env)
  } catch (error) {
    await provider.close()
    throw error
  }
}

async function openStore(url: string, options: OpenOptions): Promise<StorageProvider> {
  const store = parseStoreUrl(url)
  const provider = await OPENERS[store.kind](store, options)
  if (store.prefix === '') return provider
  const { prefix } = await import('./decorators/prefix.ts')
  return prefix(provider, store.prefix)
}

async function openRecords(url: string, options: OpenRecordsOptions): Promise<RecordedFiles> {
  const { records, tenant, recordsOptions, env, signing, cache } = options
  const { withRecords } = await import('./records/index.ts')
  const provider = await open(url, given({ env, signing, cache }))
  let engine: Engine | undefined
  try {
    engine = await openEngine(records, given({ env }))
    return withRecords(provider, engine, { ...given({ env, tenant }), ...recordsOptions })
  } catch (error) {
    await Promise.all([provider.close(), engine?.close()])
    throw error
  }
}

const OPENERS: Record<StoreUrl['kind'], (store: StoreUrl, options: OpenOptions) => Promise<StorageProvider>> =
  {
    async file({ name }, options) {
      const { local } = await import('./adapters/local/index.ts')
      return local({ root: name, signing: signingOf(options) })
    },

    async memory({ name }, options) {
      const { memory } = await import('./adapters/memory.ts')
      const { forward } = await import('./decorators/forward.ts')
      const signing = signingOf(options)
      if (name === '') return memory({ signing })
      const known = named.get(name) ?? { provider: memory({ signing }), signing: JSON.stringify(signing) }
      if (known.signing !== JSON.stringify(signing))
        throw refuse(`memory:${name} has been opened with another signing before`)
      named.set(name, known)
      // Who closes it has had enough; the others still use it.
      return forward(known.provider, { close: async () => {} })
    },

    async s3(store, options) {
      const { s3 } = await import('./adapters/s3/index.ts')
      return s3(s3OptionsOf(store, options.env))
    },

    async supabase({ name, parameters }, options) {
      const { supabase } = await import('./adapters/supabase/index.ts')
      const env = options.env ?? process.env
      const url = parameters.url ?? env.SUPABASE_URL
      const key = env.SUPABASE_SERVICE_ROLE_KEY ?? env.SUPABASE_KEY
      if (!url)
        throw refuse("supabase: the project's address is missing; set SUPABASE_URL or add ?url=https://…")
      if (!key) throw refuse('supabase: a key is missing; set SUPABASE_SERVICE_ROLE_KEY or SUPABASE_KEY')
      const { keyEncoding } = parameters
      return supabase({
        bucket: name,
        url,
        key,
        ...given({ keyEncoding: keyEncoding as 'escape' | undefined }),
      })
    },
  }

function signingOf({ signing, env = process.env }: OpenOptions): UrlSigning | undefined {
  if (signing !== undefined) return signing
  const { STOWAGE_URL_SECRET: secret, STOWAGE_BASE_URL: baseUrl } = env
  return secret && baseUrl ? { secret, baseUrl } : undefined
}

function given<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `open: ${problem}`, { operation: 'open' })
}
