import { assertProvider } from '../core/assert-provider.ts'
import { keyBatches } from '../core/batches.ts'
import { isStorageError, type StorageError, unsupported } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import { assertKey } from '../core/keys.ts'
import type { KeyInput, ObjectAttributes, OperationName, OperationOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { DeleteResult } from '../core/results.ts'
import { addLayer, numberSetting, refusal } from './layer.ts'
import { commonCapabilities } from './mirror-keys.ts'
import { fallbackReads, type MirrorFallback } from './mirror-reads.ts'
import { MIRRORED } from './mirror-sync.ts'
import { type MirrorFailure, MirrorWrites } from './mirror-writes.ts'
import { underDeadline } from './under-deadline.ts'

export type { MirrorFallback } from './mirror-reads.ts'
export type { MirrorFailure } from './mirror-writes.ts'

export interface MirrorOptions {
  /** Told of every key that a replica does not have as the primary has it. What it throws is dropped. */
  onFailure: (failure: MirrorFailure) => void
  /**
   * Takes the keys of a write instead of the replicas: puts them into a queue, whose worker calls `sync`. Awaited; where
   * it fails, `onFailure` is told. Default: replicas are written to before a write returns.
   */
  later?: (keys: readonly string[]) => void | Promise<void>
  /**
   * When reads go on with a replica. `outage`: where the primary is unavailable or does not answer. `missing`: also where
   * it has no such object: then a deleted one is read for as long as a replica has it. Default: `outage`.
   */
  fallback?: MirrorFallback
  /** Keys that are copied at once. Default: 8. */
  concurrency?: number
}

/** A provider with replicas behind it. */
export interface MirroredProvider extends StorageProvider {
  /**
   * Makes these keys in all replicas what they are in the primary now: for the worker of a queue, and after uploads that
   * went past the mirror. May be repeated.
   *
   * @throws the first failure, after all keys were tried and `onFailure` was told of each
   */
  sync(keys: KeyInput, options?: OperationOptions): Promise<void>
}

/**
 * Writes to `primary`, and then to replicas: a second bucket, another region, another vendor. Reads come from the primary
 * and, where it is down, from a replica. Lists, conditions and addresses are the primary's.
 *
 * It is no transaction. A write counts when the primary has it; what a replica could not take is told to `onFailure` and
 * made good by `sync` or `repairMirror`, and so is what a process leaves that ends in between. Each copy reads the primary
 * as it is then, so late and repeated copies do no harm. What is sent to signed URLs passes nobody here: `sync` its key
 * afterwards.
 *
 * Streams: a body goes to the primary only, and is read back from there for each replica. A download that breaks in its
 * body is not continued from a replica.
 *
 * @throws `invalid-argument` without a replica or `onFailure`, and where a replica is the primary's own place
 * @example
 * ```ts
 * const files = mirror(
 *   timeout(s3({ bucket: 'photos', region: 'eu-central-1' }), { timeoutMs: 5_000 }),
 *   s3({ bucket: 'photos-replica', region: 'eu-west-1' }),
 *   { onFailure: ({ key, error }) => console.error('not mirrored', key, error.code) },
 * )
 * ```
 */
export function mirror(
  primary: StorageProvider,
  replica: StorageProvider | readonly StorageProvider[],
  options: MirrorOptions,
): MirroredProvider {
  assertProvider('mirror', primary)
  const replicas = checkedReplicas(primary, replica)
  const { onFailure, later, fallback = 'outage', concurrency = 8 } = checkedOptions(options)
  const writes = new MirrorWrites(primary, replicas, { onFailure, later, concurrency })

  /** What a replica can't hold is refused before anything is sent. */
  function assertMirrored(operation: OperationName, key: string, attributes?: ObjectAttributes): void {
    const capabilities = commonCapabilities(primary.capabilities, replicas)
    assertKey(key, capabilities.keys, operation, primary.name)
    const lost = MIRRORED.find(name => attributes?.[name] !== undefined && !capabilities[name])
    if (lost !== undefined)
      throw unsupported(
        operation,
        primary.name,
        `not every store of the mirror keeps ${lost}; nothing was done`,
      )
  }

  const changes: Partial<StorageProvider> = {
    ...fallbackReads(primary, replicas, fallback),
    async upload(key, body, options) {
      assertMirrored('upload', key, options)
      return writes.run('upload', [key], options, inside => primary.upload(key, body, inside))
    },
    async uploadResumable(key, source, options) {
      assertMirrored('uploadResumable', key, options)
      return writes.run('uploadResumable', [key], options, inside =>
        primary.uploadResumable(key, source, inside),
      )
    },
    async copy(from, to, options) {
      assertMirrored('copy', to, options)
      return writes.run('copy', [to], options, inside => primary.copy(from, to, inside))
    },
    async move(from, to, options) {
      assertMirrored('move', to, options)
      return writes.run('move', [...new Set([to, from])], options, inside => primary.move(from, to, inside))
    },
    delete: (key, options) => writes.run('delete', [key], options, inside => primary.delete(key, inside)),
    deleteMany: (keys, options) =>
      underDeadline({ operation: 'deleteMany', options }, primary.name, async inside => {
        const results = await primary.deleteMany(keys, inside)
        await writes.after(triedKeys(results), 'deleteMany', inside?.signal)
        return results
      }),
    async signedUpload(key, options) {
      assertMirrored('signedUpload', key)
      return primary.signedUpload(key, options)
    },
    async close() {
      await Promise.all([primary, ...replicas].map(one => one.close()))
    },
  }
  const files = addLayer(primary, 'mirror', changes, own => commonCapabilities(own, replicas))
  return Object.assign(files, {
    async sync(keys: KeyInput, { signal }: OperationOptions = {}) {
      const failures: StorageError[] = []
      for await (const batch of keyBatches(keys, BATCH, 'sync', primary.name)) {
        const failure = await writes.toReplicas(
          batch.map(({ key }) => String(key)),
          'sync',
          signal,
        )
        if (failure !== undefined) failures.push(failure)
      }
      if (failures[0] !== undefined) throw failures[0]
    },
  })
}

const BATCH = 1000

function checkedReplicas(
  primary: StorageProvider,
  replica: StorageProvider | readonly StorageProvider[],
): readonly StorageProvider[] {
  const replicas = (Array.isArray(replica) ? replica : [replica]) as readonly StorageProvider[]
  if (replicas.length === 0) throw refusal('mirror', 'needs at least one replica')
  for (const one of replicas) {
    assertProvider('mirror: replica', one)
    if (one.location === primary.location)
      throw refusal('mirror', 'a replica is the same place as the primary; name another bucket or folder')
  }
  return replicas
}

function checkedOptions(options: MirrorOptions): MirrorOptions {
  assertFactoryOptions('mirror', options, {
    onFailure: 'function',
    later: 'function',
    fallback: 'string',
    concurrency: 'number',
  })
  const { onFailure, fallback = 'outage', concurrency = 1 } = options
  if (onFailure === undefined)
    throw refusal('mirror', 'needs onFailure: of a replica that falls behind somebody must hear')
  if (!['outage', 'missing', 'never'].includes(fallback))
    throw refusal('mirror', "fallback must be 'outage', 'missing' or 'never'")
  numberSetting('mirror', 'concurrency', concurrency, { least: 1, whole: true })
  return options
}

/** Once each. Of a key that failed nobody knows whether it is still there. */
function triedKeys(results: readonly DeleteResult[]): string[] {
  const tried = results.filter(
    result => result.status !== 'error' || !isStorageError(result.error, 'invalid-key', 'invalid-argument'),
  )
  return [...new Set(tried.map(({ key }) => key))]
}
