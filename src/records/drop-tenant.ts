import { StorageError } from '../core/errors.ts'
import type { OperationOptions, StorageProvider } from '../core/provider.ts'
import type { Engine } from '../sql/engine.ts'
import { deleteFiles } from './delete-files.ts'
import { checkMarker, readMarker } from './marker.ts'
import { markerKey } from './marker-key.ts'
import { formOf } from './object-form.ts'
import { RecordSet } from './record-set.ts'
import type { RecordsOptions } from './records-options.ts'
import { recover } from './recover.ts'
import { JobRunner } from './run-jobs.ts'
import { existingTenant, markDropping, removeTenant } from './tenants.ts'

export interface DropOptions
  extends Omit<RecordsOptions, 'tenant' | 'root' | 'restoreMs' | 'replaceGraceMs' | 'keepForBackupsMs'>,
    Pick<OperationOptions, 'signal'> {
  /** Told after each page of files. */
  onProgress?: (progress: { readonly deleted: number }) => void
  /** Drops a tenant although none of its files is in this store. Default: false, then it may be the wrong store. */
  evenWithoutBytes?: boolean
}

export interface DropReport {
  readonly tenant: string
  /** Files that were deleted now; an earlier drop that was stopped may have deleted others. */
  readonly deleted: number
  /** Objects in our own form that no record knew: deleted, too. */
  readonly orphans: number
  /** Objects in its root that others may have stored: they stay. */
  readonly foreign: number
}

const PAGE = 500
const SAMPLE = 20
/** How often what failed is tried again, beyond what each call tries by itself. */
const ROUNDS = 3

/**
 * Ends a tenant: its files go through the journal first, restorable ones and unfinished uploads at once, then its tables
 * and the application's tables of that tenant. From the beginning on nobody can open it any more. What can't be deleted
 * stops it, and calling it again goes on.
 *
 * Stop the processes that use the tenant first, and let its signed uploads expire: what they send later has no record.
 *
 * @throws `not-found`; `conflict` where the root is another database's, or none of its files is in this store; what the
 *   store said of the first file that could not be deleted: the tenant then stays `dropping`
 * @example
 * ```ts
 * const { deleted } = await dropTenant(s3({ bucket: 'files' }), engine, 'acme')
 * ```
 */
export async function dropTenant(
  provider: StorageProvider,
  engine: Engine,
  id: string,
  options: DropOptions = {},
): Promise<DropReport> {
  const { signal, onProgress, evenWithoutBytes = false, ...records } = options
  const set = new RecordSet(
    provider,
    engine,
    { ...records, tenant: id, restoreMs: 0, replaceGraceMs: 0, keepForBackupsMs: 0, lateMs: 0 },
    () => existingTenant(engine, id, records.now),
  )
  const root = await set.root()
  if (!evenWithoutBytes) await assertStoreHasFiles(set)
  await checkMarker(set)
  await markDropping(engine, id)
  await set.write([
    [`UPDATE ${set.table('journal')} SET stuck = 0, attempts = 0 WHERE stuck = 1 AND owner = ''`],
  ])

  const runner = new JobRunner(set)
  let deleted = 0
  let orphans = 0
  for (let round = 1; ; round++) {
    const files = await deleteAll(set, signal, count => onProgress?.({ deleted: deleted + count }))
    deleted += files.count
    await makeDue(set)
    await recover(set, runner, { waitForLeases: true, signal })
    const left = await whatIsLeft(set, files.failure)
    if (left === undefined) {
      const objects = await clearRoot(set, root, signal)
      orphans += objects.orphans
      if (await removeTenant(engine, id)) return { tenant: id, deleted, orphans, foreign: objects.foreign }
    }
    if (round >= ROUNDS) throw left ?? stillUsed(id)
  }
}

/** The wrong store would say of every file that it is gone. */
async function assertStoreHasFiles(set: RecordSet): Promise<void> {
  const rows = await set.query([
    `SELECT physical FROM ${set.table('files')} ORDER BY generation DESC LIMIT ${SAMPLE}`,
  ])
  if (rows.length === 0 || (await readMarker(set)) !== undefined) return
  const infos = await set.provider.infoMany(rows.map(row => String(row.physical)))
  for (const info of infos) {
    if (info.ok) return
    if (info.error.code !== 'not-found') throw info.error
  }
  throw new StorageError(
    'conflict',
    `none of the files of the tenant ${set.tenant} is in this store; name the one that has them`,
    { operation: 'dropTenant', retryable: false },
  )
}

/** One pass over all live files, by pages. What fails is in the journal, or live again. */
async function deleteAll(
  set: RecordSet,
  signal: AbortSignal | undefined,
  onPage: (count: number) => void,
): Promise<{ count: number; failure: StorageError | undefined }> {
  let count = 0
  let failure: StorageError | undefined
  let after = ''
  for (;;) {
    signal?.throwIfAborted()
    const rows = await set.query(
      [
        `SELECT key FROM ${set.table('files')} WHERE state = 'live' AND key > ? ORDER BY key LIMIT ${PAGE}`,
        after,
      ],
      { consistency: 'linearizable' },
    )
    if (rows.length === 0) return { count, failure }
    const keys = rows.map(row => String(row.key))
    const results = await deleteFiles(set, keys, { operation: 'deleteMany', signal })
    for (const result of results) {
      if (result.status === 'deleted') count++
      if (result.status === 'error') failure ??= result.error
    }
    onPage(count)
    after = keys.at(-1)!
  }
}

/** Trash, staged uploads, replaced bytes and what waits for another attempt. */
async function makeDue(set: RecordSet): Promise<void> {
  const now = BigInt(await set.clock.now())
  await set.write([
    [`UPDATE ${set.table('journal')} SET due_at = ? WHERE due_at > ? AND owner = ''`, now, now],
  ])
}

async function whatIsLeft(
  set: RecordSet,
  failure: StorageError | undefined,
): Promise<StorageError | undefined> {
  const [row] = await set.query(
    [
      `SELECT (SELECT COUNT(*) FROM ${set.table('files')}) AS files, (SELECT COUNT(*) FROM ${set.table('journal')}) AS jobs, (SELECT MIN(error) FROM ${set.table('journal')}) AS error`,
    ],
    { consistency: 'linearizable' },
  )
  const [files, jobs] = [Number(row!.files), Number(row!.jobs)]
  if (files === 0 && jobs === 0) return undefined
  const said = failure?.message ?? row!.error
  const because = said === null ? '' : `; one says ${String(said)}`
  return new StorageError(
    failure?.code ?? 'conflict',
    `dropTenant: ${files} files and ${jobs} jobs of the tenant ${set.tenant} could not be ended${because}. It stays in the state dropping: mend that (stowage doctor shows each) and drop it again`,
    { operation: 'dropTenant', retryable: true, cause: failure },
  )
}

/** What lies in the root without a record. Not where another record set lives within it: then who can say whose it is. */
async function clearRoot(set: RecordSet, root: string, signal: AbortSignal | undefined) {
  const { provider } = set
  let shared = false
  let orphans = 0
  let foreign = 0
  for await (const entry of provider.list({ prefix: root, signal }))
    if (entry.kind === 'object') shared ||= formOf(root, entry.key) === 'foreign-record-set'
  for await (const page of provider.list({ prefix: root, signal }).pages()) {
    const keys = page.flatMap(entry => (entry.kind === 'object' ? [entry.key] : []))
    const ours = keys.filter(key => formOf(root, key) === 'ours' && !shared)
    foreign += keys.filter(key => formOf(root, key).startsWith('foreign')).length
    if (shared) foreign += keys.filter(key => formOf(root, key) === 'ours').length
    await deleteNow(set, ours, signal)
    orphans += ours.length
  }
  // Before the tables: a marker without a database would keep a new tenant of this name out.
  await deleteNow(set, [markerKey(root)], signal)
  return { orphans, foreign }
}

async function deleteNow(set: RecordSet, keys: readonly string[], signal: AbortSignal | undefined) {
  if (keys.length === 0) return
  for (const result of await set.provider.deleteMany(keys, { signal }))
    if (result.status === 'error') throw result.error
}

function stillUsed(id: string): StorageError {
  return new StorageError(
    'conflict',
    `dropTenant: another process still uses the tenant ${id}; stop it and drop the tenant again`,
    { operation: 'dropTenant', retryable: true },
  )
}
