import { setTimeout as timer } from 'node:timers/promises'
import { StorageError } from '../../core/errors.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { Engine } from '../../sql/engine.ts'
import { type BackupOptions, backupRecords } from './backup-records.ts'
import { asFileEngine } from './file-engine.ts'
import type { BackupManifest } from './manifest.ts'

export interface WatchOptions extends Omit<BackupOptions, 'signal'> {
  /** Milliseconds from one look to the next, and so what is lost at most with the disk. Default: 60 seconds. */
  everyMs?: number
  /** Ends it, after one more backup of what has changed. */
  signal: AbortSignal
  onBackup?: (manifest: BackupManifest) => void
  /** A backup that failed is tried again at the next look. */
  onFailure?: (error: unknown) => void
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * Makes a backup at its start, and one whenever something has changed since, at most every `everyMs`; and once more when
 * it is ended. Run one beside the application.
 *
 * @throws what the last backup throws; `unsupported` for PostgreSQL
 */
export async function watchBackups(
  engine: Engine,
  store: StorageProvider,
  options: WatchOptions,
): Promise<void> {
  const { everyMs = 60_000, signal, onBackup, onFailure, wait = pause, ...backup } = options
  if (!(everyMs > 0 && everyMs < 2 ** 31))
    throw new StorageError('invalid-argument', 'backup: everyMs must be milliseconds above 0')
  const source = asFileEngine(engine, 'backup')
  let shipped: string | undefined

  const shipChanges = async () => {
    // Before the backup: what changes meanwhile is seen at the next look.
    const state = await source.state()
    if (state === shipped) return
    const manifest = await backupRecords(engine, store, backup)
    shipped = state
    onBackup?.(manifest)
  }
  while (!signal.aborted) {
    try {
      await shipChanges()
    } catch (error) {
      if (isForGood(error)) throw error
      onFailure?.(error)
    }
    await wait(everyMs, signal).catch(() => {})
  }
  await shipChanges()
}

/** Trying again does not help: better to be seen at once than at the first restore. */
function isForGood(error: unknown): boolean {
  return error instanceof StorageError && (error.code === 'invalid-argument' || error.code === 'unsupported')
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await timer(ms, undefined, { signal })
}
