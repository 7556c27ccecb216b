import { deadline, endedError } from '../../core/deadline.ts'
import { invalidArgument, StorageError } from '../../core/errors.ts'
import {
  askOperation,
  assertStatement,
  type BatchOptions,
  type BatchResult,
  type Engine,
  type QueryOptions,
  type Row,
  type Statement,
} from '../engine.ts'
import { checkBatch, checkQueryOptions } from './check-batch.ts'
import { COLUMN_TYPES } from './column-types.ts'
import type { Connection, DriverName } from './connection.ts'
import { onOwnConnection, replaceDatabase, snapshot, type TransferOptions } from './database-file.ts'
import { joinTransaction } from './join.ts'
import { openConnection, wrapDatabase } from './open-connection.ts'
import { Session } from './session.ts'
import { toSqliteError } from './sqlite-errors.ts'
import { type SqliteOptions, type SqliteSettings, sqliteSettings } from './sqlite-options.ts'
import { whenFree } from './when-free.ts'
import { Writer } from './writer.ts'

const NAME = 'sqlite'

/**
 * Tables in one SQLite file, shared by any number of processes of one machine. Opens it at the first call.
 *
 * A batch is one transaction in WAL mode; what is asked for at once shares one transaction and its one sync of the
 * disk. With `durability: 'full'` what was answered survives a power failure as SQLite promises it.
 *
 * @throws `invalid-argument` for options that are unknown or of another kind
 * @example
 * ```ts
 * const engine = sqlite({ path: './records.db' })
 * await engine.batch([[`CREATE TABLE IF NOT EXISTS notes (id ${engine.types.text} PRIMARY KEY)`]])
 * await engine.batch([['INSERT INTO notes (id) VALUES (?)', 'first']])
 * ```
 */
export function sqlite(options: SqliteOptions): SqliteEngine {
  return new Sqlite(sqliteSettings(options))
}

/** An engine on SQLite, with what only a database in one file has. */
export interface SqliteEngine extends Engine {
  /**
   * The whole database as a SQLite file, as it was at one moment; others go on writing meanwhile. It is made on disk
   * first, in this process and without a pause, and has no WAL.
   */
  backup(options?: TransferOptions): AsyncIterable<Uint8Array>

  /**
   * Replaces the database by a SQLite file, once that was found whole. No other process may have it open.
   *
   * @throws `conflict` where another connection has it open; `checksum-mismatch` for what is no whole SQLite file;
   *   `unsupported` for `:memory:` and for an open database that was handed over. The database is then as it was
   */
  load(file: AsyncIterable<Uint8Array>, options?: TransferOptions): Promise<void>

  /** An engine on another file, by the same library: for looking into a backup. */
  inspect(path: string): SqliteEngine

  /** A text that is another one after each change, whoever made it. Only texts of one engine can be compared. */
  state(): Promise<string>
}

interface Opened {
  readonly session: Session
  readonly writer: Writer
}

class Sqlite implements SqliteEngine {
  readonly name = NAME
  readonly types = COLUMN_TYPES
  private opening: Promise<Opened> | undefined
  private opened: Opened | undefined
  private closing: Promise<void> | undefined
  private loading = false
  private readonly underWay = new Set<Promise<unknown>>()
  private readonly handed: Connection | undefined

  constructor(private readonly settings: SqliteSettings) {
    const { driver } = settings
    this.handed = typeof driver === 'object' ? wrapDatabase(driver) : undefined
  }

  /** Known from the library; where that is still to be chosen, `false` until the database is open. */
  get textHoldsNul(): boolean {
    const connection = this.handed ?? this.opened?.session.connection
    return connection?.textHoldsNul ?? this.settings.driver === 'better-sqlite3'
  }

  batch(statements: readonly Statement[], options: BatchOptions = {}): Promise<BatchResult> {
    return this.follow(this.write(statements, options))
  }

  query(statement: Statement, options: QueryOptions = {}): Promise<readonly Row[]> {
    return this.follow(this.read('query', statement, options))
  }

  async outcome(id: string, options: QueryOptions = {}): Promise<boolean | undefined> {
    try {
      const [row] = await this.follow(this.read('outcome', askOperation(id), options))
      return row === undefined ? undefined : row.state === 2n
    } catch (error) {
      if (isNoOperationsYet(error)) return undefined
      throw error
    }
  }

  async forget(before: number): Promise<number> {
    if (!Number.isFinite(before))
      throw invalidArgument('forget', NAME, 'before must be milliseconds since 1970')
    try {
      const at = BigInt(Math.floor(before))
      const { results } = await this.batch([['DELETE FROM stowage_operations WHERE at < ?', at]])
      return results?.[0]?.changes ?? 0
    } catch (error) {
      if (isNoOperationsYet(error)) return 0
      throw error
    }
  }

  join(transaction: unknown) {
    this.assertOpen('join')
    const { path, driver, now } = this.settings
    return joinTransaction(transaction, {
      path,
      handed: typeof driver === 'object' ? driver : undefined,
      now,
      check: (statements, { id, condition, ...rest }, holder) =>
        checkBatch(statements, { id, condition, guard: 'data', ...rest }, holder),
      checkQuery: assertStatement,
    })
  }

  async *backup({ signal }: TransferOptions = {}): AsyncGenerator<Uint8Array> {
    const { session } = await this.open('backup')
    const { path, driver, busyTimeoutMs } = this.settings
    // Our own connection may be in the middle of a transaction; a database in memory has no other.
    const own = this.handed !== undefined || path === ':memory:'
    yield* snapshot(
      into =>
        own
          ? whenFree(() => session.withoutWaiting(() => session.connection.exec(into)), busyTimeoutMs, signal)
          : onOwnConnection(path, driver as DriverName | undefined, into, busyTimeoutMs, signal),
      signal,
    )
  }

  async load(file: AsyncIterable<Uint8Array>, { signal }: TransferOptions = {}): Promise<void> {
    this.assertOpen('load')
    const { path, driver } = this.settings
    if (this.handed !== undefined || path === ':memory:')
      throw new StorageError('unsupported', 'load: only a database that was given by its path is replaced', {
        operation: 'load',
        provider: NAME,
      })
    await Promise.allSettled(this.underWay)
    this.loading = true
    const openPath = (file: string) => openConnection(file, driver as DriverName | undefined)
    try {
      await replaceDatabase(path, openPath, this.opened?.session.connection, file, signal)
      // The next call opens what is there now.
      this.opened = undefined
      this.opening = undefined
    } catch (error) {
      throw toSqliteError(error, 'load')
    } finally {
      this.loading = false
    }
  }

  inspect(path: string): SqliteEngine {
    const { driver, now } = this.settings
    return sqlite({ path, now, ...(typeof driver === 'string' ? { driver } : {}) })
  }

  async state(): Promise<string> {
    const [row] = await this.query([
      'SELECT total_changes() AS own, data_version AS others, schema_version FROM pragma_data_version, pragma_schema_version',
    ])
    return `${row!.own}/${row!.others}/${row!.schema_version}`
  }

  async close(): Promise<void> {
    this.closing ??= this.release()
    await this.closing
  }

  private async write(statements: readonly Statement[], options: BatchOptions): Promise<BatchResult> {
    const { writer } = await this.open('batch')
    const batch = checkBatch(statements, options, this)
    const end = deadline(options, 'batch', NAME)
    try {
      return await writer.add(batch, {
        durable: options.durable === true,
        patienceMs: this.patienceMs(options),
        signal: end.signal,
      })
    } catch (error) {
      if (end.signal?.aborted && error === end.signal.reason) throw endedError(end.signal, 'batch', NAME)
      throw error
    } finally {
      end.clear()
    }
  }

  /** `close` waits for what was asked for before it. */
  private follow<Result>(call: Promise<Result>): Promise<Result> {
    const forget = () => this.underWay.delete(call)
    this.underWay.add(call)
    call.then(forget, forget)
    return call
  }

  private async release(): Promise<void> {
    await Promise.allSettled(this.underWay)
    if (this.handed === undefined) this.opened?.session.connection.close()
  }

  private async read(operation: string, statement: Statement, options: QueryOptions) {
    checkQueryOptions(operation, options)
    const { session } = await this.open(operation)
    assertStatement(statement, this)
    const end = deadline(options, operation, NAME)
    try {
      return await whenFree(
        () => session.withoutWaiting(() => session.read(statement)),
        this.patienceMs(options),
        end.signal,
      )
    } catch (error) {
      if (end.signal?.aborted) throw endedError(end.signal, operation, NAME)
      throw toSqliteError(error, operation)
    } finally {
      end.clear()
    }
  }

  /** A time limit of the call's own ends it with `timeout`. */
  private patienceMs({ timeoutMs }: { readonly timeoutMs?: number }): number {
    return timeoutMs === undefined ? this.settings.busyTimeoutMs : Number.POSITIVE_INFINITY
  }

  private assertOpen(operation: string): void {
    if (this.closing) throw invalidArgument(operation, NAME, 'the SQLite engine is closed')
    if (this.loading)
      throw new StorageError('unavailable', `${operation}: the database is being replaced by a backup`, {
        operation,
        provider: NAME,
      })
  }

  private async open(operation: string): Promise<Opened> {
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

/** Nobody has given an id in this database yet. */
function isNoOperationsYet(error: unknown): boolean {
  return error instanceof StorageError && /no such table: \S*stowage_operations/.test(error.message)
}
