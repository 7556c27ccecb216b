import { assertProvider } from '../core/assert-provider.ts'
import { keyBatches } from '../core/batches.ts'
import { eitherSignal } from '../core/deadline.ts'
import { defineProvider } from '../core/define-provider.ts'
import { invalidArgument, StorageError } from '../core/errors.ts'
import { ANY_KEY, assertKey } from '../core/keys.ts'
import type { KeyResult, StorageProvider } from '../core/provider.ts'
import { forward } from '../decorators/forward.ts'
import type { Engine } from '../sql/engine.ts'
import { adoptFiles } from './adopt-files.ts'
import { audit } from './audit.ts'
import { collect } from './collect.ts'
import { deleteFiles } from './delete-files.ts'
import { cancelJob, listJobs, retryJob } from './doctor.ts'
import { findFiles } from './find-files.ts'
import { metRecord } from './meet-files.ts'
import { ownOptionsOf } from './own-options.ts'
import { type PreparedUpload, PreparedUploads } from './prepared-uploads.ts'
import { RecordSet } from './record-set.ts'
import type { RecordedFiles } from './recorded-files.ts'
import { checkedRecord, PreparingDriver, RecordsDriver, SigningDriver } from './records-driver.ts'
import type { RecordsOptions } from './records-options.ts'
import { recover, settleOperation } from './recover.ts'
import { deletedFiles, restoreFile } from './restore-file.ts'
import { runEvery } from './run-every.ts'
import { JobRunner } from './run-jobs.ts'
import { finalizeUpload } from './stage-upload.ts'
import { startWorker } from './worker.ts'

/**
 * A provider whose files have records: provider and database as one. A file and its record appear together and go
 * together, whatever crashes; what is half done is found in the journal by `recover()` or a worker.
 *
 * Bytes lie under physical keys of their own (`photo.01j8….jpg`) below the tenant's root and are never overwritten.
 * Closing it closes provider and engine.
 *
 * @throws `invalid-argument` for what is no provider or no engine, for `withImageMetadata` below, for unknown options, and
 *   for a tenant's id that is none. Methods throw `conflict` where the tenant's root overlaps another's.
 *
 * @example
 * ```ts
 * const files = withRecords(local({ root: './data' }), sqlite({ path: './records.db' }))
 * await files.recover()
 * await files.upload('a/photo.jpg', photo, { metadata: { album: 'summer' } })
 * for await (const file of files.find({ contentType: 'image/*', metadata: { album: 'summer' } })) console.log(file)
 * await files.delete('a/photo.jpg', { also: [['DELETE FROM photos WHERE key = ?', 'a/photo.jpg']] })
 * ```
 */
export function withRecords(
  provider: StorageProvider,
  engine: Engine,
  options: RecordsOptions = {},
): RecordedFiles {
  assertProvider('withRecords', provider)
  assertEngine(engine)
  assertBelow(provider)
  return recordedFiles(new RecordSet(provider, engine, options), true)
}

/** Most keys that one batch of the caller's own takes. */
const MOST_KEYS_AT_ONCE = 10_000
/** Keys that are read from an iterable at once. */
const KEYS_PER_READ = 500

function recordedFiles(set: RecordSet, ends: boolean): RecordedFiles {
  const defined = defineProvider(new RecordsDriver(set, ends))
  const uploads = new PreparedUploads(set)
  const preparing = defineProvider(new PreparingDriver(set, uploads))
  const signing = defineProvider(new SigningDriver(set))
  const runner = new JobRunner(set)
  const { name } = set.provider
  const checked = (operation: string, key: unknown) => assertKey(key, ANY_KEY, operation, name)
  const own: Omit<RecordedFiles, keyof StorageProvider> & Pick<RecordedFiles, 'deleteMany' | 'close'> = {
    tenantId: set.tenant,
    async deleteMany(keys, options = {}) {
      const { also, transaction } = options
      if (also === undefined && transaction === undefined) return defined.deleteMany(keys, options)
      const all: string[] = []
      for await (const batch of keyBatches(keys, KEYS_PER_READ, 'deleteMany', name))
        for (const { key } of batch) {
          checked('deleteMany', key)
          all.push(key as string)
          if (all.length > MOST_KEYS_AT_ONCE)
            throw invalidArgument(
              'deleteMany',
              name,
              `with also or transaction at most ${MOST_KEYS_AT_ONCE} keys are one batch; give fewer at a time`,
            )
        }
      const joins = ownOptionsOf(set, 'deleteMany', { also, transaction })
      return deleteFiles(set, all, { operation: 'deleteMany', signal: options.signal, ...joins })
    },
    // What the driver's `write` returned.
    prepareUpload: (key, body, options) => preparing.upload(key, body, options) as Promise<PreparedUpload>,
    prepareFinalize: (uploadId, options) => uploads.prepareFinalize(uploadId, options),
    publish: (upload, options) => uploads.publish(upload, options),
    discard: upload => uploads.discard(upload),
    async close() {
      await preparing.close()
      await signing.close()
      await defined.close()
    },
    finalize: (uploadId, options) => finalizeUpload(set, uploadId, options),
    find: options => findFiles(set, options),
    async physicalKey(key, { signal } = {}) {
      checked('physicalKey', key)
      const asked = { key, ifMatch: undefined, ifNoneMatch: undefined }
      return checkedRecord(set, await metRecord(set, key, { signal }), asked, 'physicalKey').physical
    },
    // What the driver's `signMany` returned.
    signedFiles: (keys, options) => signing.signedUrls(keys, options) as Promise<KeyResult<never>[]>,
    adopt: options => adoptFiles(set, options),
    deleted: options => deletedFiles(set, options),
    async restore(key, options) {
      checked('restore', key)
      return restoreFile(set, key, options)
    },
    settle: operationId => settleOperation(runner, operationId),
    recover: options => recover(set, runner, options),
    startWorker: options => startWorker(set, runner, options),
    audit: options => audit(set, options),
    collect: options => collect(set, options),
    startAudits: ({ everyMs, onReport, ...options }) =>
      runEvery(set, 'audit', { everyMs, onReport }, signal => audit(set, both(options, signal))),
    startCollects: ({ everyMs, onReport, ...options }) =>
      runEvery(set, 'collect', { everyMs, onReport }, signal => collect(set, both(options, signal))),
    jobs: options => listJobs(set, options),
    retryJob: id => retryJob(set, id),
    cancelJob: id => cancelJob(set, id),
    tenant: id =>
      recordedFiles(
        new RecordSet(set.provider, set.engine, { ...set.options, tenant: id, root: undefined }),
        false,
      ),
  }
  return forward(defined, own as Partial<StorageProvider>) as RecordedFiles
}

/** Options whose signal ends with either of two. */
function both<Options extends { signal?: AbortSignal }>(options: Options, signal: AbortSignal): Options {
  return { ...options, signal: eitherSignal(options.signal, signal) }
}

/** Readers ask the record: what a layer below adds to an object's metadata, nobody would see. */
function assertBelow({ capabilities }: StorageProvider): void {
  if (!capabilities.layers.includes('withImageMetadata')) return
  throw new StorageError(
    'invalid-argument',
    'withRecords: withImageMetadata goes around it, as in withImageMetadata(withRecords(files, engine))',
  )
}

function assertEngine(engine: unknown): void {
  const { name, batch, query } = (engine ?? {}) as Record<string, unknown>
  if (typeof name === 'string' && typeof batch === 'function' && typeof query === 'function') return
  throw new StorageError(
    'invalid-argument',
    'withRecords: the second argument must be an engine, such as sqlite() returns',
  )
}
