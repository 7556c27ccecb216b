/** A whole database as a file: a copy of one moment out of it, and another one in its place. */
import { createReadStream, existsSync } from 'node:fs'
import { mkdtemp, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { StorageError } from '../../core/errors.ts'
import type { Connection, DriverName } from './connection.ts'
import { openConnection } from './open-connection.ts'
import { isBusy, resultCode } from './sqlite-errors.ts'
import { whenFree } from './when-free.ts'

export interface TransferOptions {
  signal?: AbortSignal
}

/** The bytes of a copy that `copy` makes with the statement it is given. */
export async function* snapshot(
  copy: (statement: string) => Promise<void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-backup-'))
  try {
    const path = join(folder, 'copy.db')
    // Of one moment, without pages that are free, and complete without a WAL: https://www.sqlite.org/lang_vacuum.html#vacuuminto
    await copy(`VACUUM INTO '${path.replaceAll("'", "''")}'`)
    yield* createReadStream(path, { signal }) as AsyncIterable<Uint8Array>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs a statement on a connection of its own. */
export async function onOwnConnection(
  path: string,
  driver: DriverName | undefined,
  statement: string,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const connection = await openConnection(path, driver)
  try {
    await whenFree(() => connection.exec(statement), patienceMs, signal)
  } finally {
    connection.close()
  }
}

/**
 * Puts a file in the place of a database that nobody else has open. It is there as a whole or not at all. `own`: our
 * connection to what is there, which is closed where it was replaced.
 */
export async function replaceDatabase(
  path: string,
  openPath: (path: string) => Promise<Connection>,
  own: Connection | undefined,
  file: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const loading = `${path}.loading-${process.pid}`
  try {
    await writeSynced(loading, file, signal)
    await assertWhole(loading, openPath)
    const holder = own ?? (existsSync(path) ? await openPath(path) : undefined)
    try {
      if (holder !== undefined) holdAlone(holder)
      // What a database that is no more has left would be taken for this one's.
      for (const rest of ['-wal', '-shm', '-journal']) await rm(`${path}${rest}`, { force: true })
      await rename(loading, path)
      await syncFolder(dirname(path))
    } catch (error) {
      if (holder !== own) holder?.close()
      else if (holder?.inTransaction()) letGo(holder)
      throw error
    }
    holder?.exec('ROLLBACK')
    holder?.close()
  } finally {
    for (const rest of ['', '-wal', '-shm', '-journal']) await rm(`${loading}${rest}`, { force: true })
  }
}

async function writeSynced(path: string, file: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
  const handle = await open(path, 'w', 0o600)
  try {
    for await (const chunk of file) {
      signal?.throwIfAborted()
      let at = 0
      while (at < chunk.length) at += (await handle.write(chunk, at)).bytesWritten
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function assertWhole(path: string, openPath: (path: string) => Promise<Connection>): Promise<void> {
  let said: unknown
  try {
    const connection = await openPath(path)
    try {
      const [row] = connection
        .prepare('SELECT integrity_check AS said FROM pragma_integrity_check LIMIT 1')
        .all([])
      said = row?.said
      if (connection.prepare('SELECT COUNT(*) AS tables FROM sqlite_schema').all([])[0]!.tables === 0n)
        said = 'it holds no table'
    } finally {
      connection.close()
    }
  } catch (error) {
    const code = resultCode(error)
    if (code !== 11 && code !== 26) throw error
    said = 'SQLite cannot read it'
  }
  if (said !== 'ok') throw refuse('checksum-mismatch', `the file is no whole SQLite database: ${said}`)
}

/** Keeps all others out: WAL is left only by who is alone. */
function holdAlone(connection: Connection): void {
  try {
    const [row] = connection.prepare('PRAGMA journal_mode = DELETE').all([])
    if (row?.journal_mode !== 'delete') throw inUse()
    connection.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    const code = resultCode(error)
    if (isBusy(error)) throw inUse()
    if (code === 11 || code === 26)
      throw refuse('conflict', 'the file in that place is no database, or a damaged one; move it away first')
    throw error
  }
}

function letGo(connection: Connection): void {
  connection.exec('ROLLBACK')
  connection.exec('PRAGMA journal_mode = WAL')
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  // Windows opens no folders, and keeps names without it.
  await handle?.sync().catch(() => {})
  await handle?.close()
}

function inUse(): StorageError {
  return refuse('conflict', 'another process has the database open; stop it first')
}

function refuse(code: 'conflict' | 'checksum-mismatch', problem: string): StorageError {
  return new StorageError(code, `load: ${problem}`, {
    operation: 'load',
    provider: 'sqlite',
    retryable: false,
  })
}
