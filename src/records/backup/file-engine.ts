import { StorageError } from '../../core/errors.ts'
import type { Engine } from '../../sql/engine.ts'

/** An engine whose whole database can be taken out and put in as a SQLite file: `sqlite()` and `rqlite()`. */
export interface FileEngine extends Engine {
  backup(options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
  load(file: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }): Promise<void>
  state(): Promise<string>
  /** Only SQLite's own. */
  inspect?(path: string): FileEngine
}

/** Opens a file to look into it: `path => sqlite({ path })`. */
export type OpenFile = (path: string) => FileEngine

/** @throws `unsupported` for engines that have a tool of their own */
export function asFileEngine(engine: Engine, operation: string): FileEngine {
  const { backup, load, state } = engine as Partial<FileEngine>
  if (backup !== undefined && load !== undefined && state !== undefined) return engine as FileEngine
  const how =
    engine.name === 'postgres'
      ? 'PostgreSQL has its own tools: use pg_dump and pg_restore, or the snapshots of your host, then raise the epoch (stowage records raise-epoch)'
      : `the engine ${engine.name} can't give its database as a file`
  throw new StorageError('unsupported', `${operation}: ${how}`, { operation, retryable: false })
}

/** What opens a copy. @throws `invalid-argument` where neither the engine nor the caller can: nothing is left unchecked */
export function openFileOf(engine: FileEngine, given: OpenFile | undefined, operation: string): OpenFile {
  if (given !== undefined) return given
  if (engine.inspect !== undefined) return path => engine.inspect!(path)
  throw new StorageError(
    'invalid-argument',
    `${operation}: a backup of ${engine.name} is a SQLite file that has to be looked into; give openFile: path => sqlite({ path })`,
    { operation },
  )
}
