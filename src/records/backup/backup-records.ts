import { join } from 'node:path'
import { StorageError } from '../../core/errors.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { Engine } from '../../sql/engine.ts'
import { idFactory } from '../new-id.ts'
import { tenantTable } from '../tenant-id.ts'
import { listTenants } from '../tenants.ts'
import { readContent } from './backup-content.ts'
import { asFileEngine, type OpenFile, openFileOf } from './file-engine.ts'
import {
  type BackupManifest,
  type BackupsOptions,
  backupName,
  fileKey,
  manifestKey,
  nameOf,
} from './manifest.ts'
import { spool, withFolder } from './spool.ts'

export interface BackupOptions extends BackupsOptions {
  /** Verified backups that are kept, this one included; older ones go. Default: all. */
  keep?: number
  /** Opens the copy that was read back. Needed for rqlite: `path => sqlite({ path })`. */
  openFile?: OpenFile
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
  /** Makes the end of the name. Default: a ULID. */
  newId?: () => string
}

/**
 * Writes the whole database, all tenants and the application's own tables, into a store: of one moment, while others go
 * on writing. It is read back from there, compared by its SHA-256, opened and checked page by page before its manifest
 * says that it is a backup. Keep backups outside of every tenant's root.
 *
 * @throws `unsupported` for PostgreSQL, which has pg_dump; `checksum-mismatch` where what was read back is not what was
 *   sent: then nothing is kept of it, and no older backup goes
 * @example
 * ```ts
 * await backupRecords(sqlite({ path: './records.db' }), s3({ bucket: 'backups' }), { keep: 48 })
 * ```
 */
export async function backupRecords(
  engine: Engine,
  store: StorageProvider,
  options: BackupOptions = {},
): Promise<BackupManifest> {
  const { prefix = '', keep, signal, now = Date.now, newId = idFactory(now) } = options
  const source = asFileEngine(engine, 'backup')
  const openFile = openFileOf(source, options.openFile, 'backup')
  assertKeep(keep)
  const made = await withFolder(async folder => {
    const sent = await spool(join(folder, 'sent.db'), source.backup({ signal }))
    const at = new Date(now())
    const name = backupName(at, await highestEpoch(engine), newId())
    const key = fileKey(prefix, name)
    await store.upload(key, sent.stream(), { contentType: 'application/vnd.sqlite3', signal })
    try {
      const back = await spool(join(folder, 'back.db'), await store.download(key, { signal }))
      if (back.sha256 !== sent.sha256 || back.size !== sent.size)
        throw new StorageError(
          'checksum-mismatch',
          `backup: ${sent.size} bytes were sent, and ${back.size} others came back; the store can't be trusted with it`,
          { operation: 'backup', key, retryable: true },
        )
      const content = await lookInto(back.path, openFile)
      const { size, sha256 } = sent
      const manifest: BackupManifest = {
        format: 1,
        name,
        engine: source.name,
        at: at.toISOString(),
        size,
        sha256,
        ...content,
      }
      await store.upload(manifestKey(prefix, name), `${JSON.stringify(manifest, undefined, 2)}\n`, {
        contentType: 'application/json',
        signal,
      })
      return manifest
    } catch (error) {
      await store.deleteMany([key, manifestKey(prefix, name)]).catch(() => {})
      throw error
    }
  })
  if (keep !== undefined) await removeOld(store, prefix, made.name, keep, signal)
  return made
}

/** For the name only: the manifest says what is in the file. */
async function highestEpoch(engine: Engine): Promise<number> {
  const epochs = [0]
  for (const { id } of await listTenants(engine)) {
    const [row] = await engine.query([
      `SELECT value FROM ${tenantTable(id, 'settings')} WHERE name = 'epoch'`,
    ])
    epochs.push(Number(row?.value ?? 0))
  }
  return Math.max(...epochs)
}

async function lookInto(path: string, openFile: OpenFile) {
  const inside = openFile(path)
  try {
    return await readContent(inside)
  } finally {
    await inside.close()
  }
}

/** Keeps the newest `keep` that have a manifest. What has none and is older than this one was never finished. */
async function removeOld(
  store: StorageProvider,
  prefix: string,
  newest: string,
  keep: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = new Set<string>()
  const manifests: string[] = []
  for await (const entry of store.list({ prefix, signal })) {
    if (entry.kind !== 'object') continue
    const name = nameOf(prefix, entry.key)
    if (name === undefined) continue
    if (entry.key.endsWith('.json')) manifests.push(name)
    else files.add(name)
  }
  const kept = new Set([newest, ...manifests.sort().reverse().slice(0, keep)])
  const old = [...new Set([...files, ...manifests])].filter(name => !kept.has(name) && name < newest)
  // The manifest first: a file without one is no backup, a manifest without a file would promise one.
  for (const key of [manifestKey, fileKey]) {
    const results = await store.deleteMany(
      old.map(name => key(prefix, name)),
      { signal },
    )
    for (const result of results) if (result.status === 'error') throw result.error
  }
}

function assertKeep(keep: number | undefined): void {
  if (keep === undefined || (Number.isInteger(keep) && keep >= 1)) return
  throw new StorageError('invalid-argument', 'backup: keep must be a whole number of at least 1', {
    operation: 'backup',
  })
}
