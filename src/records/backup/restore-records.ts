import { join } from 'node:path'
import { StorageError } from '../../core/errors.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { Engine } from '../../sql/engine.ts'
import { checkMarker, readMarker } from '../marker.ts'
import { RecordSet } from '../record-set.ts'
import { existingTenant } from '../tenants.ts'
import { type BackupContent, countContent, readContent, tableNames } from './backup-content.ts'
import { asFileEngine, type FileEngine, type OpenFile, openFileOf } from './file-engine.ts'
import { type BackupManifest, type BackupsOptions, fileKey, listBackups, readManifest } from './manifest.ts'
import { type Spooled, spool, withFolder } from './spool.ts'

export interface RestoreRecordsOptions extends BackupsOptions {
  /** Which backup, by its name. Default: the newest. */
  name?: string
  /**
   * What to do where the database holds tables already. `refuse` (default): `conflict`. `skip`: nothing, as at the start
   * of a pod whose volume is still there. `replace`: all that it holds goes.
   */
  present?: 'refuse' | 'skip' | 'replace'
  /** Whether it is no failure that there is no backup at all, as at the very first start of a pod. Default: false. */
  ifBackupExists?: boolean
  /** Opens the file to look into it. Needed for rqlite: `path => sqlite({ path })`. */
  openFile?: OpenFile
}

export interface RestoreReport {
  /** False where the database was there and `present` was `skip`, or there was no backup and `ifBackupExists`. */
  readonly restored: boolean
  readonly backup: BackupManifest | undefined
  /** The new epoch of each tenant. Collect waits until an audit of it was confirmed. */
  readonly epochs: Readonly<Record<string, number>>
}

/**
 * Puts a backup in the place of a database, once its SHA-256, its pages and its rows have been found as its manifest says.
 * Each tenant begins a new epoch with it: workers that go on from before stop, and collect waits for a confirmed audit.
 *
 * Stop what uses a SQLite database first; rqlite takes it while it runs.
 *
 * @param backups where `backupRecords` has written to
 * @param files the store of the files that the records are of: its markers say which epochs it has seen
 * @throws `not-found` where there is no backup; `conflict` where the database holds something, is open elsewhere, or the
 *   files belong to another database; `checksum-mismatch` for a damaged backup; `unsupported` for PostgreSQL. The database
 *   is then as it was
 * @example
 * ```ts
 * await restoreRecords(sqlite({ path: './records.db' }), s3({ bucket: 'backups' }), s3({ bucket: 'files' }))
 * ```
 */
export async function restoreRecords(
  engine: Engine,
  backups: StorageProvider,
  files: StorageProvider,
  options: RestoreRecordsOptions = {},
): Promise<RestoreReport> {
  const { prefix = '', name, present = 'refuse', signal } = options
  const target = asFileEngine(engine, 'restore')
  const openFile = openFileOf(target, options.openFile, 'restore')
  if (present !== 'replace' && !(await isEmpty(engine))) {
    if (present === 'skip') return { restored: false, backup: undefined, epochs: {} }
    throw refuse('conflict', 'the database is not empty; only with --replace (present: replace) does it go')
  }
  const backup =
    name === undefined
      ? (await listBackups(backups, { prefix, signal }))[0]
      : await readManifest(backups, prefix, name, signal)
  if (backup === undefined) {
    if (options.ifBackupExists) return { restored: false, backup: undefined, epochs: {} }
    throw refuse('not-found', 'there is no backup in this store')
  }
  return withFolder(async folder => {
    const file = await spool(
      join(folder, 'backup.db'),
      await backups.download(fileKey(prefix, backup.name), { signal }),
    )
    if (file.sha256 !== backup.sha256 || file.size !== backup.size)
      throw refuse('checksum-mismatch', `the backup ${backup.name} is damaged; restore another one`)
    const { expected, epochs } = await prepareAndLoad(file, backup, target, openFile, files, signal)
    assertSame(await countContent(engine), expected, 'what was loaded')
    // The database knows its epoch already; now the bucket does.
    for (const { id } of backup.tenants) await checkMarker(recordSet(files, engine, id))
    return { restored: true, backup, epochs }
  })
}

/** Raises the epochs in the file, so that no moment is in which the old ones are loaded, and loads it. */
async function prepareAndLoad(
  file: Spooled,
  backup: BackupManifest,
  target: FileEngine,
  openFile: OpenFile,
  files: StorageProvider,
  signal: AbortSignal | undefined,
): Promise<{ expected: BackupContent; epochs: Record<string, number> }> {
  const inside = openFile(file.path)
  try {
    assertSame(await readContent(inside), backup, `the backup ${backup.name}`)
    const epochs: Record<string, number> = {}
    for (const { id, epoch } of backup.tenants) {
      const set = recordSet(files, inside, id)
      const marker = await readMarker(set)
      const { recordSet: identity } = await set.ready()
      if (marker !== undefined && marker.recordSet !== identity)
        throw refuse('conflict', `the files of the tenant ${id} in that store belong to another database`)
      const next = Math.max(epoch, marker?.epoch ?? 0) + 1
      await inside.batch(
        [[`UPDATE ${set.table('settings')} SET value = ? WHERE name = 'epoch'`, String(next)]],
        { durable: true },
      )
      epochs[id] = next
    }
    const expected = await countContent(inside)
    await target.load(inside.backup({ signal }), { signal })
    return { expected, epochs }
  } finally {
    await inside.close()
  }
}

async function isEmpty(engine: Engine): Promise<boolean> {
  // The engine's own table comes with the first batch that has an id.
  return (await tableNames(engine)).every(name => name === 'stowage_operations')
}

function recordSet(files: StorageProvider, engine: Engine, tenant: string): RecordSet {
  return new RecordSet(files, engine, { tenant }, () => existingTenant(engine, tenant))
}

function assertSame(found: BackupContent, expected: BackupContent, what: string): void {
  const text = ({ tenants, rows }: BackupContent) =>
    JSON.stringify([tenants, Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1))])
  if (text(found) === text(expected)) return
  throw refuse('checksum-mismatch', `${what} does not hold the rows that it should`)
}

function refuse(code: 'conflict' | 'not-found' | 'checksum-mismatch', problem: string): StorageError {
  return new StorageError(code, `restore: ${problem}`, { operation: 'restore', retryable: false })
}
