import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { SignedUpload, StorageProvider } from '../core/provider.ts'

/** What a case asks the provider to be made with. An adapter that has no such option leaves it out. */
export interface CreateOptions {
  /** Size of the parts of a multipart upload. */
  partSizeBytes?: number
  /** Bodies from this size on are uploaded in parts. */
  multipartThresholdBytes?: number
  /** Objects larger than this are copied in parts. */
  copyCutoffBytes?: number
}

/**
 * What the kit needs from whoever tests a provider. Only `name` and `create` are required; a case that needs
 * something that is not given is reported as skipped, with its reason.
 */
export interface ConformanceContext {
  /** For messages: `s3 on MinIO`. */
  name: string
  /**
   * A provider over an empty scope. Called for every case; the kit closes what it gets. Keys begin with a prefix
   * that is never used twice, so a bucket may be shared.
   */
  create(options?: CreateOptions): StorageProvider | Promise<StorageProvider>
  /** Sends a request to a signed URL of `files`: the global `fetch` where a server listens. */
  fetch?(url: string, init: RequestInit, files: StorageProvider): Promise<Response>
  /**
   * Moves the clock that signed URLs of `files` expire by. Where it is absent, one case waits for two seconds at
   * most.
   */
  advance?(ms: number, files: StorageProvider): void
  /** Milliseconds since 1970 by the provider's clock. Default: `Date.now`. */
  now?(): number
  /** Another provider over the same scope as `files`: another process, say. Closed by the kit. */
  another?(files: StorageProvider): StorageProvider | Promise<StorageProvider>
  /** Writes for a provider that is read-only: a provider over the same scope that may. Not closed by the kit. */
  writer?(files: StorageProvider): StorageProvider
  /** A provider whose bucket does not exist. */
  createMissingBucket?(): StorageProvider | Promise<StorageProvider>
  /** A provider over a store that has room for 1 MiB and none for 64 MiB. */
  createFull?(): StorageProvider | Promise<StorageProvider>
  /**
   * A provider over a scope in which `key` holds `bytes`, and whose connections break in the middle of the body of
   * every download, beyond the first 64 KiB.
   */
  createCut?(key: string, bytes: Uint8Array): StorageProvider | Promise<StorageProvider>
  /** Names of what unfinished uploads to `keys` left behind in the scope: open multiparts, temporary files. */
  leftovers?(files: StorageProvider, keys: readonly string[]): Promise<readonly string[]>
  /**
   * Does what the backend does when a browser has sent what `signed`, of `signedUpload(key, …)`, allows: makes it the
   * object. For providers with `capabilities.signedUpload.finalizes`.
   */
  finalize?(files: StorageProvider, key: string, signed: SignedUpload): Promise<unknown>
  /** Sizes of parts that the multipart cases upload with. Default: 5 MiB and 6 MiB, S3's smallest. */
  partSizesBytes?: readonly number[]
  /** Cases that this provider can't pass, by id, with the reason. One that passes nevertheless fails. */
  skip?: Readonly<Record<string, string>>
  /** Milliseconds after which a case has failed. Default: 30,000. */
  caseTimeoutMs?: number
}

/** The parts of the context that a case may need. */
export type HostNeed =
  | 'fetch'
  | 'another'
  | 'createMissingBucket'
  | 'createFull'
  | 'createCut'
  | 'leftovers'
  | 'finalize'

export const HOST_NEEDS: readonly HostNeed[] = [
  'fetch',
  'another',
  'createMissingBucket',
  'createFull',
  'createCut',
  'leftovers',
  'finalize',
]

/** @throws `invalid-argument` for a field that is unknown, of the wrong kind or missing */
export function assertContext(context: ConformanceContext): void {
  assertFactoryOptions('conformance', context, {
    name: 'string',
    create: 'function',
    fetch: 'function',
    advance: 'function',
    now: 'function',
    another: 'function',
    writer: 'function',
    createMissingBucket: 'function',
    createFull: 'function',
    createCut: 'function',
    leftovers: 'function',
    finalize: 'function',
    partSizesBytes: 'array',
    skip: 'object',
    caseTimeoutMs: 'number',
  })
  const { name, create, partSizesBytes = [], skip = {}, caseTimeoutMs = 1 } = context
  if (name === undefined || create === undefined) throw refuse('needs name and create')
  if (!partSizesBytes.every(size => Number.isSafeInteger(size) && size > 0))
    throw refuse('partSizesBytes must be whole numbers above zero')
  if (!Object.values(skip).every(reason => typeof reason === 'string'))
    throw refuse('skip must give a reason for each id')
  if (!(caseTimeoutMs > 0)) throw refuse('caseTimeoutMs must be above zero')
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `conformance: ${problem}`)
}
