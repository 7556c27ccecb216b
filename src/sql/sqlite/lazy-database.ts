import { invalidArgument, StorageError } from '../../core/errors.ts'
import type { Connection, DriverName } from './connection.ts'
import { replaceDatabase } from './database-file.ts'
import { openConnection, wrapDatabase } from './open-connection.ts'
import { Session } from './session.ts'
import { toSqliteError } from './sqlite-errors.ts'
import type { SqliteSettings } from './sqlite-options.ts'
import { whenFree } from './when-free.ts'
import { Writer } from './writer.ts'

interface Opened {
  readonly session: Session
  readonly writer: Writer
}

/** The engine's database: opened at the first call, closed once the last has ended, and replaced by none meanwhile. */
export class LazyDatabase {
  /** Given by the caller, who closes it. */
  readonly handed: Connection | undefined
  private readonly settings: SqliteSettings
  private opening: Promise<Opened> | undefined
  private opened: Opened | undefined
  private closing: Promise<void> | undefined
  private loading = false
  private readonly underWay = new Set<Promise<unknown>>()

  constructor(settings: SqliteSettings) {
    this.settings = settings
    const { driver } = settings
    this.handed = typeof driver === 'object' ? wrapDatabase(driver) : undefined
  }

  /** Known from the library; where that is still to be chosen, `false` until the database is open. */
  get textHoldsNul(): boolean {
    const connection = this.handed ?? this.opened?.session.connection
    return connection?.textHoldsNul ?? this.settings.driver === 'better-sqlite3'
  }

  /** `close` and `replace` wait for what was asked for before them. */
  follow<Result>(call: Promise<Result>): Promise<Result> {
    const forget = () => this.underWay.delete(call)
    this.underWay.add(call)
    call.then(forget, forget)
    return call
  }

  /** @throws `invalid-argument` once it is closed, `unavailable` while it is replaced */
  assertOpen(operation: string): void {
    if (this.closing) throw invalidArgument(operation, 'sqlite', 'the SQLite engine is closed')
    if (this.loading)
      throw new StorageError('unavailable', `${operation}: the database is being replaced by a backup`, {
        operation,
        provider: 'sqlite',
      })
  }

  async open(operation: string): Promise<Opened> {
    this.assertOpen(operation)
    if (this.opened) return this.opened
    this.opening ??= this.connect()
    try {
      this.opened = await this.opening
      return this.opened
    } catch (error) {
      // The next call tries again: a folder may have been made meanwhile.
      this.opening = undefined
      throw toSqliteError(error, operation)
    }
  }

  /** Its file, with which it is opened anew at the next call. */
  async replace(file: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
    const { path, driver } = this.settings
    await Promise.allSettled(this.underWay)
    this.loading = true
    const openPath = (file: string) => openConnection(file, driver as DriverName | undefined)
    try {
      await replaceDatabase(path, openPath, this.opened?.session.connection, file, signal)
      this.opened = undefined
      this.opening = undefined
    } catch (error) {
      throw toSqliteError(error, 'load')
    } finally {
      this.loading = false
    }
  }

  close(): Promise<void> {
    this.closing ??= this.release()
    return this.closing
  }

  private async release(): Promise<void> {
    await Promise.allSettled(this.underWay)
    if (this.handed === undefined) this.opened?.session.connection.close()
  }

  private async connect(): Promise<Opened> {
    const { path, driver, durability, busyTimeoutMs, now } = this.settings
    const ours = typeof driver === 'object' ? undefined : await openConnection(path, driver)
    const connection = (ours ?? this.handed) as Connection
    try {
      const session = new Session(connection, ours !== undefined)
      await whenFree(
        () => session.withoutWaiting(() => session.configure(durability)),
        busyTimeoutMs,
        undefined,
      )
      return { session, writer: new Writer(session, durability, now) }
    } catch (error) {
      ours?.close()
      throw error
    }
  }
}
