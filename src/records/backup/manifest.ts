import { isStorageError, StorageError } from '../../core/errors.ts'
import type { OperationOptions, StorageProvider } from '../../core/provider.ts'
import type { BackupContent } from './backup-content.ts'

/** What is known of a backup, in a small JSON beside the file. It is written last: a file without one is no backup. */
export interface BackupManifest extends BackupContent {
  readonly format: 1
  /** Its name: `20261126T132800Z-e3-01j8…`, with the time and the highest epoch. */
  readonly name: string
  /** `sqlite` or `rqlite`: where it comes from. It can be restored into either. */
  readonly engine: string
  readonly at: string
  readonly size: number
  /** Of the file, in hexadecimal. */
  readonly sha256: string
}

const NAME = /^\d{8}T\d{6}Z-e\d+-[0-9a-z]{1,32}$/

/** Names sort by time. */
export function backupName(at: Date, epoch: number, id: string): string {
  return `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z-e${epoch}-${id.toLowerCase()}`
}

export const fileKey = (prefix: string, name: string) => `${prefix}${name}.sqlite`
export const manifestKey = (prefix: string, name: string) => `${prefix}${name}.json`

/** Which backup an object belongs to, where it is one of ours. */
export function nameOf(prefix: string, key: string): string | undefined {
  const name = key.slice(prefix.length).replace(/\.(?:sqlite|json)$/, '')
  return key.startsWith(prefix) && NAME.test(name) ? name : undefined
}

export interface BackupsOptions extends Pick<OperationOptions, 'signal'> {
  /** The beginning of the keys of backups in their store. Default: `''`. */
  prefix?: string
}

/** The backups in a store, the newest first: only those that were verified when they were made. */
export async function listBackups(
  store: StorageProvider,
  { prefix = '', signal }: BackupsOptions = {},
): Promise<BackupManifest[]> {
  const names: string[] = []
  for await (const entry of store.list({ prefix, signal })) {
    if (entry.kind !== 'object' || !entry.key.endsWith('.json')) continue
    const name = nameOf(prefix, entry.key)
    if (name !== undefined) names.push(name)
  }
  const manifests: BackupManifest[] = []
  for (const name of names.sort().reverse()) manifests.push(await readManifest(store, prefix, name, signal))
  return manifests
}

/** @throws `not-found`; `checksum-mismatch` for what is no manifest */
export async function readManifest(
  store: StorageProvider,
  prefix: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<BackupManifest> {
  const key = manifestKey(prefix, name)
  try {
    const manifest = JSON.parse(await (await store.download(key, { signal })).text()) as BackupManifest
    if (manifest.format === 1 && manifest.name === name && /^[0-9a-f]{64}$/.test(manifest.sha256))
      return manifest
  } catch (error) {
    if (isStorageError(error)) throw error
  }
  throw new StorageError('checksum-mismatch', 'this is no manifest of a backup of this version', {
    key,
    retryable: false,
  })
}
