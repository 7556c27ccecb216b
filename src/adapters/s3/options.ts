import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import type { Dispatcher } from 'undici'
import type { Capabilities, CapabilitySwitch } from '../../core/capabilities.ts'
import { StorageError } from '../../core/errors.ts'
import type { KeyRules } from '../../core/keys.ts'

/** Longest life of a signature of version 4: seven days (AWS, "Query string parameters", X-Amz-Expires). */
export const MAX_EXPIRES_IN = 604_800

/** How to reach the bucket: a client of yours, or what is needed to make one. */
export type S3Options = S3CommonOptions & (S3ClientOption | S3ConnectionOptions)

export interface S3ClientOption {
  /** Its credentials, region and endpoint are used; its checksum defaults and request handler are not. */
  client: S3Client
}

export interface S3ConnectionOptions {
  client?: undefined
  region?: S3ClientConfig['region']
  /** For servers other than AWS: `http://127.0.0.1:9000`. */
  endpoint?: string
  /** Default: the SDK's own chain (environment, shared files, instance roles). */
  credentials?: S3ClientConfig['credentials']
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Most servers other than AWS need it. Default: false. */
  forcePathStyle?: boolean
  /** Name of a profile in the shared AWS files. */
  profile?: string
  useAccelerateEndpoint?: boolean
  useDualstackEndpoint?: boolean
  useFipsEndpoint?: boolean
}

export interface S3CommonOptions {
  bucket: string
  /** Bytes of a part of a multipart upload. Default: 5 MiB, the least that AWS takes. */
  partSizeBytes?: number
  /** Bodies of a known size up to this many bytes are collected and sent in one request. Default: 16 MiB. At most 5 GiB. */
  multipartThresholdBytes?: number
  /** Parts under way at once, each held in memory. Default: 4. */
  uploadConcurrency?: number
  /** Objects above this many bytes are copied in parts. Default and most that S3 allows: 5 GiB. */
  copyThresholdBytes?: number
  /** Bytes of a part of such a copy. Default: 512 MiB. */
  copyPartSizeBytes?: number
  serverSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  /** Id or ARN of the KMS key, with `serverSideEncryption: 'aws:kms'`. */
  sseKmsKeyId?: string
  /** Milliseconds without a sign of life from the server, before its answer and within it. Default: 30,000. */
  requestTimeoutMs?: number
  /** Connections kept open at most. Default: 64. */
  connections?: number
  /** Sends the requests: for proxies or certificates of your own. You close it. Default: an `Agent` of undici's. */
  dispatcher?: Dispatcher
  /** Where the bucket is public, for `publicUrl`: `https://cdn.example.com`. Default: the bucket's own address. */
  publicBaseUrl?: string
  /**
   * The server's part of `location`. For a client with an endpoint of its own, which nobody can read off it: processes
   * that give one name share what is kept by location, as cached URLs. Give it, too, with a client for China or a
   * government. Default: the endpoint's address, `aws`, or a name of this one client's.
   */
  storeName?: string
  /** Where `probe()` puts its objects, when the credentials are limited to a prefix. Default: the bucket's root. */
  probePrefix?: string
  /** `'single'` where the server has no DeleteObjects. Default: `'batch'`. */
  deleteMethod?: 'batch' | 'single'
  /** What you know of the server; spares the probe's requests. */
  capabilities?: S3DeclaredCapabilities
  /** Where the server's keys differ from what is assumed: everything on AWS, little elsewhere. See `docs/s3.md`. */
  keys?: Partial<KeyRules>
  /**
   * Makes GET and HEAD URLs stable without a cache: within each window of so many seconds the same wish gets the same
   * URL, in every process. Signing time is rounded down to the window, so a URL lives for at least `expiresIn` minus
   * the window and never longer than `expiresIn`, which must be above it. Credentials that change, as temporary ones
   * do, change the URL. Default: 0, off.
   */
  windowSeconds?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

export type S3DeclaredCapabilities = Partial<
  Pick<
    Capabilities,
    | Exclude<CapabilitySwitch, 'conditionalRead' | 'writable' | 'deleteReportsMissing' | 'publicUrl'>
    | 'checksums'
    | 'maxObjectBytes'
    | 'signedUpload'
  >
>

const KNOWN: Record<keyof S3CommonOptions | keyof S3ConnectionOptions, string> = {
  bucket: 'string',
  client: 'object',
  region: 'string or function',
  endpoint: 'string',
  credentials: 'object or function',
  forcePathStyle: 'boolean',
  profile: 'string',
  useAccelerateEndpoint: 'boolean',
  useDualstackEndpoint: 'boolean',
  useFipsEndpoint: 'boolean',
  partSizeBytes: 'number',
  multipartThresholdBytes: 'number',
  uploadConcurrency: 'number',
  copyThresholdBytes: 'number',
  copyPartSizeBytes: 'number',
  serverSideEncryption: 'string',
  sseKmsKeyId: 'string',
  requestTimeoutMs: 'number',
  connections: 'number',
  dispatcher: 'object',
  publicBaseUrl: 'string',
  storeName: 'string',
  probePrefix: 'string',
  deleteMethod: 'string',
  capabilities: 'object',
  keys: 'object',
  windowSeconds: 'number',
  now: 'function',
}

export const CONNECTION_OPTIONS = [
  'region',
  'endpoint',
  'credentials',
  'forcePathStyle',
  'profile',
  'useAccelerateEndpoint',
  'useDualstackEndpoint',
  'useFipsEndpoint',
] as const satisfies readonly (keyof S3ConnectionOptions)[]

const GIB = 2 ** 30

/** Options with their defaults. */
export type S3Settings = Required<
  Pick<
    S3CommonOptions,
    | 'bucket'
    | 'partSizeBytes'
    | 'multipartThresholdBytes'
    | 'uploadConcurrency'
    | 'copyThresholdBytes'
    | 'copyPartSizeBytes'
    | 'requestTimeoutMs'
    | 'connections'
    | 'probePrefix'
    | 'deleteMethod'
    | 'windowSeconds'
    | 'now'
  >
> &
  Pick<S3CommonOptions, 'serverSideEncryption' | 'sseKmsKeyId'>

/** @throws `invalid-argument` for an unknown option, one of the wrong kind, or a missing bucket */
export function checkedSettings(options: S3Options): S3Settings {
  if (typeof options !== 'object' || options === null) throw refuse('needs options: s3({ bucket: … })')
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(KNOWN, name)) throw refuse(`there is no option '${name}'`)
    const kinds = KNOWN[name as keyof typeof KNOWN]
    if (value !== undefined && !kinds.split(' or ').includes(typeof value))
      throw refuse(`${name} must be a ${kinds}`)
  }
  if (typeof options.bucket !== 'string' || options.bucket === '') throw refuse('needs the name of a bucket')
  if (options.client !== undefined) {
    const twice = CONNECTION_OPTIONS.find(name => name in options)
    if (twice !== undefined) throw refuse(`the client has its own ${twice}; give one of the two`)
  }
  if (options.deleteMethod !== undefined && !['batch', 'single'].includes(options.deleteMethod))
    throw refuse("deleteMethod must be 'batch' or 'single'")
  for (const url of ['endpoint', 'publicBaseUrl'] as const) {
    const value =
      url === 'endpoint' && options.client !== undefined
        ? undefined
        : (options as S3ConnectionOptions & S3CommonOptions)[url]
    if (value !== undefined && !/^https?:\/\//.test(value))
      throw refuse(`${url} must begin with http:// or https://`)
  }
  return {
    bucket: options.bucket,
    partSizeBytes: whole('partSizeBytes', options.partSizeBytes ?? 5 * 2 ** 20, 5 * GIB),
    multipartThresholdBytes: whole(
      'multipartThresholdBytes',
      options.multipartThresholdBytes ?? 16 * 2 ** 20,
      5 * GIB,
    ),
    uploadConcurrency: whole('uploadConcurrency', options.uploadConcurrency ?? 4, 1000),
    copyThresholdBytes: whole('copyThresholdBytes', options.copyThresholdBytes ?? 5 * GIB, 5 * GIB),
    copyPartSizeBytes: whole('copyPartSizeBytes', options.copyPartSizeBytes ?? 512 * 2 ** 20, 5 * GIB),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 30_000, 2 ** 31 - 1),
    connections: whole('connections', options.connections ?? 64, 10_000),
    probePrefix: options.probePrefix ?? '',
    deleteMethod: options.deleteMethod ?? 'batch',
    windowSeconds: whole('windowSeconds', options.windowSeconds ?? 0, MAX_EXPIRES_IN - 1, 0),
    now: options.now ?? Date.now,
    ...(options.serverSideEncryption === undefined
      ? {}
      : { serverSideEncryption: options.serverSideEncryption }),
    ...(options.sseKmsKeyId === undefined ? {} : { sseKmsKeyId: options.sseKmsKeyId }),
  }
}

function whole(name: string, value: number, most: number, least = 1): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw refuse(`${name} must be a whole number from ${least} to ${most}`)
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `s3: ${problem}`, { provider: 's3' })
}
