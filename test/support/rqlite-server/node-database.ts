/** A node's copy of the data: a SQLite file with one connection that applies the log and one that reads. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from './connection.ts'

export class NodeDatabase {
  private readonly folder = mkdtempSync(join(tmpdir(), 'stowage-rqlite-'))
  private loads = 0
  /** All that goes through the log runs here, in its order, whoever sent it: an open BEGIN is everybody's. */
  writer!: Connection
  /** Sees what is committed. */
  reader!: Connection

  constructor(private readonly foreignKeys: boolean) {
    this.open()
  }

  /** What was not committed is gone. */
  reopen(): void {
    if (this.writer.isInTransaction) this.writer.command('ROLLBACK')
    this.close()
    this.open()
  }

  /** A SQLite file. */
  backup(vacuum: boolean): Buffer {
    if (vacuum) {
      const copy = join(this.folder, 'vacuumed.sqlite')
      this.reader.command(`VACUUM INTO '${copy}'`)
      const bytes = readFileSync(copy)
      rmSync(copy)
      return inRollbackMode(bytes)
    }
    this.reader.command('PRAGMA wal_checkpoint(TRUNCATE)')
    return inRollbackMode(readFileSync(this.path))
  }

  /** Replaces everything by the content of a SQLite file. */
  load(file: Buffer): void {
    this.close()
    // A file of its own: `libsql` lets go of a closed one only when its statements are collected.
    this.loads += 1
    writeFileSync(this.path, file)
    this.open()
  }

  remove(): void {
    this.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  private get path(): string {
    return join(this.folder, `db${this.loads}.sqlite`)
  }

  private open(): void {
    this.writer = new Connection(this.path, this.foreignKeys)
    this.reader = new Connection(this.path, this.foreignKeys)
  }

  private close(): void {
    this.reader.close()
    this.writer.close()
  }
}

/** rqlite's backups are no WAL databases: bytes 18 and 19 of the header say so. */
function inRollbackMode(file: Buffer): Buffer {
  file[18] = 1
  file[19] = 1
  return file
}
