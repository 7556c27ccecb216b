import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'

/** The subset of a `SupabaseClient` that is named in its types; URL, headers and fetch are read from its storage. */
export interface SupabaseClientLike {
  readonly storage: { from(bucket: string): unknown }
}

interface CommonOptions {
  /** The bucket's id. It must exist: this adapter makes none. */
  bucket: string
  /**
   * What becomes of keys that hold other characters than Supabase takes (letters, digits and
   * ``_ / ! - . * ' ( ) & $ @ = ; : + , ?`` and space). `refuse`, the default: `invalid-key`, nothing is sent.
   * `escape`: they are mapped one-to-one into those characters, and back in lists; plain names stay as they are.
   */
  keyEncoding?: 'refuse' | 'escape'
  /**
   * Bodies of more bytes, or that turn out to be longer, are sent in chunks by the TUS protocol, which needs the
   * package `tus-js-client`. Shorter ones are gathered in memory and sent in one request. Default: 6 MiB.
   */
  resumableThresholdBytes?: number
  /** Bytes of one chunk; the hosted service takes nothing but 6 MiB, which is the default. */
  chunkSizeBytes?: number
  /**
   * Milliseconds that the server may be silent before an operation ends with `timeout`. A request that carries
   * bytes may take one second more per 64 KiB. Default: 30,000.
   */
  requestTimeoutMs?: number
}

/** Options of `supabase()`: a client, or the project's URL and a key. */
export type SupabaseOptions = CommonOptions &
  (
    | {
        /** A `SupabaseClient`. Its credentials are used as they are at each request: of a signed-in user, too. */
        client: SupabaseClientLike
        url?: undefined
        key?: undefined
        fetch?: undefined
      }
    | {
        client?: undefined
        /** The project's URL, with or without `/storage/v1`. */
        url: string
        /** A service key (`service_role`, `sb_secret_…`), an anon key, or a user's access token. */
        key: string
        /** Default: the global `fetch`. */
        fetch?: typeof fetch
      }
  )

const MIB = 2 ** 20
/** The one chunk size that Supabase's hosted service takes: https://supabase.com/docs/guides/storage/uploads/resumable-uploads */
const CHUNK_BYTES = 6 * MIB

export interface Settings {
  readonly bucket: string
  readonly escapeKeys: boolean
  readonly resumableThresholdBytes: number
  readonly chunkSizeBytes: number
  readonly requestTimeoutMs: number
}

/** Options with their defaults. @throws `invalid-argument` */
export function checkedSettings(options: SupabaseOptions): Settings {
  assertFactoryOptions(
    'supabase',
    options,
    {
      bucket: 'string',
      client: 'object',
      url: 'string',
      key: 'string',
      fetch: 'function',
      keyEncoding: 'string',
      resumableThresholdBytes: 'number',
      chunkSizeBytes: 'number',
      requestTimeoutMs: 'number',
    },
    'supabase',
  )
  const { bucket, keyEncoding = 'refuse' } = options
  if (typeof bucket !== 'string' || bucket === '' || bucket.includes('/') || !bucket.isWellFormed())
    throw invalidOption("bucket must be the bucket's id, without a slash")
  if (keyEncoding !== 'refuse' && keyEncoding !== 'escape')
    throw invalidOption("keyEncoding must be 'refuse' or 'escape'")
  const whole = (name: 'resumableThresholdBytes' | 'chunkSizeBytes' | 'requestTimeoutMs', least: number) => {
    const value = options[name]
    if (value === undefined) return undefined
    if (Number.isSafeInteger(value) && value >= least && value < 2 ** 31) return value
    throw invalidOption(`${name} must be a whole number from ${least} to ${2 ** 31 - 1}`)
  }
  return {
    bucket,
    escapeKeys: keyEncoding === 'escape',
    resumableThresholdBytes: whole('resumableThresholdBytes', 0) ?? CHUNK_BYTES,
    chunkSizeBytes: whole('chunkSizeBytes', 1) ?? CHUNK_BYTES,
    requestTimeoutMs: whole('requestTimeoutMs', 1) ?? 30_000,
  }
}

export function invalidOption(problem: string): StorageError {
  return new StorageError('invalid-argument', `supabase: ${problem}`, { provider: 'supabase' })
}
