import type { CapabilitySwitch, SignedMethod } from './capabilities.ts'
import type { Checksum, ChecksumAlgorithm } from './checksum.ts'
import { StorageError } from './errors.ts'

/** Taken by every method that makes a request. */
export interface OperationOptions {
  /** Ends the operation with `aborted`. A download's body ends with it too. */
  signal?: AbortSignal
  /**
   * Milliseconds for the whole operation, after which it ends with `timeout`; for a download until its body has
   * been read. Absent: only the adapter's own limit on silence holds.
   */
  timeoutMs?: number
}

export interface ProbeOptions extends OperationOptions {
  /** Asks for these and no others: each may cost requests. Default: all. */
  only?: readonly CapabilitySwitch[]
}

/** What is stored beside the bytes. */
export interface ObjectAttributes {
  /** A MIME type. Absent: found from the key's extension, then from the first bytes. */
  contentType?: string
  cacheControl?: string
  contentDisposition?: string
  contentEncoding?: string
  contentLanguage?: string
  /** Strings by name. Names are kept in lower case; two that differ by case only are refused. */
  metadata?: Record<string, string>
  /** S3's storage class: `STANDARD`, `STANDARD_IA`, … `unsupported` elsewhere. */
  storageClass?: string
}

export interface UploadOptions extends OperationOptions, ObjectAttributes {
  /** Bytes the body must have. A body that ends earlier or later fails and nothing is stored. */
  size?: number
  /** Verified before the object becomes visible, by us and by the store where it can. */
  checksum?: Checksum | ChecksumAlgorithm
  /** Store only where nothing is stored under the key: else `already-exists`. */
  ifNoneMatch?: '*'
  /** With `ifNoneMatch: '*'`: what is there already is success if its bytes are the same. */
  sameContent?: 'ok'
  /** Store only over the object with this etag: else `precondition-failed`. */
  ifMatch?: string
  /**
   * Called with the bytes sent so far, at most once a chunk, and with `total` where the size is known. What it throws
   * is dropped; `signal` ends an upload.
   */
  onProgress?: (progress: Progress) => void
}

export interface Progress {
  /** Bytes so far. */
  readonly loaded: number
  /** Bytes in all, where known. */
  readonly total?: number
}

/**
 * Which bytes to read. `{start, end}`: both inclusive, as HTTP counts; without `end` to the end. `{offset, length}`:
 * as arrays are sliced. `{suffix}`: the last so many. A string is a `Range` header with one range.
 */
export type ByteRange =
  | { start: number; end?: number }
  | { offset: number; length?: number }
  | { suffix: number }
  | `bytes=${string}`

export interface InfoOptions extends OperationOptions {
  /** `precondition-failed` unless the object has this etag. */
  ifMatch?: string
  /** `precondition-failed` (status 304) where the object has this etag. */
  ifNoneMatch?: string
}

export interface DownloadOptions extends InfoOptions {
  range?: ByteRange
  /**
   * Memory for the body, for who reads much and has it at hand: used only where it is just as long as `range`, and only by stores that can
   * read straight into it. The body's one chunk is then this memory, and the download resolves when it is full. What it
   * held is lost either way.
   */
  into?: Uint8Array
  /** Called with the bytes read so far and, as `total`, those of the range or object. What it throws is dropped. */
  onProgress?: (progress: Progress) => void
}

export interface ListOptions extends OperationOptions {
  /** Only keys that begin with this string. Not a folder: `images` also lists `images2/a`. */
  prefix?: string
  /** `/` folds what follows the next slash after the prefix into entries of `kind: 'prefix'`. */
  delimiter?: '/'
  /** Only entries that sort behind this string, whether or not it names one. */
  startAfter?: string
  /** Entries per request to the store, 1 to 1,000. Never limits the list. */
  pageSize?: number
}

export interface PageOptions extends OperationOptions {
  /** The `next` of the page before. */
  after?: string
  /** Entries on the page, 1 to 1,000. Default: the list's `pageSize`. */
  limit?: number
}

export interface CopyOptions extends OperationOptions, ObjectAttributes {
  /** Copy only where nothing is stored under the destination: else `already-exists`. */
  ifNoneMatch?: '*'
  /** Copy only the source with this etag: else `precondition-failed`. */
  ifMatch?: string
}

export interface DeleteOptions extends OperationOptions {
  /** Delete only the object with this etag: else `precondition-failed`, and it stays. */
  ifMatch?: string
  /**
   * Delete exactly this version, for good and without a delete marker: what `upload` returned as `versionId`. Needs
   * `capabilities.versionedDelete`; not together with `ifMatch`.
   */
  versionId?: string
}

export interface UnfinishedUploadsOptions extends OperationOptions {
  /** Only uploads to keys that begin with this string. */
  prefix?: string
  /** Only uploads to keys that sort behind this string. */
  startAfter?: string
}

export interface SignedUrlOptions extends OperationOptions {
  /**
   * Lifetime in seconds, whole and above zero. May be left out for GET and HEAD where `capabilities.signedUrl` has a
   * `defaultExpiresIn`.
   */
  expiresIn?: number
  /** Default `GET`. */
  method?: SignedMethod
  /** Makes browsers save it: `true` under the key's own name, a string under that name. Only for GET. */
  download?: boolean | string
  /** Only for PUT: the upload must carry this type. */
  contentType?: string
}

export interface SignedUploadOptions extends OperationOptions {
  /** Lifetime in seconds. Must be absent where the store has its own (`choosesExpiry: false`). */
  expiresIn?: number
  contentType?: string
  /** Exact bytes. Give this or `maxSize`. */
  size?: number
  /** At most so many bytes. */
  maxSize?: number
}

/** A key with what else names one object. `versionId` counts for `deleteMany` only. */
export interface KeyEntry {
  readonly key: string
  /** As in `DeleteOptions`: exactly this version is deleted, for good. */
  readonly versionId?: string
}

/**
 * Keys, or the entries of a list, so that `deleteMany(files.list({prefix}))` works. What names a `versionId`, as the
 * `ObjectInfo` of an upload to a versioned bucket does, loses that version.
 */
export type KeyInput =
  | Iterable<string | KeyEntry>
  | AsyncIterable<string | KeyEntry | { readonly kind: 'prefix'; readonly prefix: string }>

const COMMON = ['signal', 'timeoutMs'] as const
/** What is kept beside an object's bytes, by name. */
export const ATTRIBUTES = [
  'contentType',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'metadata',
  'storageClass',
] as const satisfies readonly (keyof ObjectAttributes)[]

/** The options each method knows, so that a misspelt one is refused instead of dropped. */
const KNOWN_OPTIONS = {
  probe: new Set<string>([...COMMON, 'only']),
  upload: new Set<string>([
    ...COMMON,
    ...ATTRIBUTES,
    'size',
    'checksum',
    'ifNoneMatch',
    'sameContent',
    'ifMatch',
    'onProgress',
  ]),
  uploadResumable: new Set<string>([
    ...COMMON,
    ...ATTRIBUTES,
    'ifNoneMatch',
    'ifMatch',
    'resume',
    'partBytes',
    'concurrency',
    'onToken',
    'onPart',
    'onProgress',
  ]),
  download: new Set<string>([...COMMON, 'ifMatch', 'ifNoneMatch', 'range', 'into', 'onProgress']),
  info: new Set<string>([...COMMON, 'ifMatch', 'ifNoneMatch']),
  infoMany: new Set<string>(COMMON),
  exists: new Set<string>(COMMON),
  list: new Set<string>([...COMMON, 'prefix', 'delimiter', 'startAfter', 'pageSize']),
  page: new Set<string>([...COMMON, 'after', 'limit']),
  copy: new Set<string>([...COMMON, ...ATTRIBUTES, 'ifNoneMatch', 'ifMatch']),
  move: new Set<string>([...COMMON, ...ATTRIBUTES, 'ifNoneMatch', 'ifMatch']),
  delete: new Set<string>([...COMMON, 'ifMatch', 'versionId']),
  deleteMany: new Set<string>(COMMON),
  signedUrl: new Set<string>([...COMMON, 'expiresIn', 'method', 'download', 'contentType']),
  signedUrls: new Set<string>([...COMMON, 'expiresIn', 'method', 'download', 'contentType']),
  signedUpload: new Set<string>([...COMMON, 'expiresIn', 'contentType', 'size', 'maxSize']),
  unfinishedUploads: new Set<string>([...COMMON, 'prefix', 'startAfter']),
  abortUpload: new Set<string>(COMMON),
  clock: new Set<string>(COMMON),
} as const satisfies Record<string, ReadonlySet<string>>

export type OperationName = keyof typeof KNOWN_OPTIONS

/** Options of a driver's own, by operation. */
export type OwnOptions = Partial<Record<OperationName, readonly string[]>>

/** Throws `invalid-argument` for an option that `operation` does not know and the driver has not as its own. */
export function assertOptions(
  operation: OperationName,
  options: object | undefined,
  provider: string,
  own: readonly string[] = [],
): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new StorageError('invalid-argument', `${operation}: options must be an object`, {
      operation,
      provider,
    })
  }
  const known = KNOWN_OPTIONS[operation]
  for (const name in options) {
    if (known.has(name) || own.includes(name)) continue
    throw new StorageError(
      'invalid-argument',
      `${operation}: unknown option '${name}'; known are ${[...known, ...own].join(', ')}`,
      { operation, provider },
    )
  }
}

/** `options` as they are now, for who reads them later: the caller may change the object for its next call. */
export function settledOptions<Options>(options: Options): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options
  const settled: Record<string, unknown> = {}
  // Inherited ones count, as they do where options are checked.
  for (const name in options) settled[name] = options[name]
  return settled as Options
}
