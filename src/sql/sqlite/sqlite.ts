import { deadline, endedError } from '../../core/deadline.ts'
import { StorageError } from '../../core/errors.ts'
import {
  assertBatch,
  assertId,
  assertJoinedBatch,
  assertQueryOptions,
  forgetting,
} from '../engine/assert-call.ts'
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
import { COLUMN_TYPES } from './column-types.ts'
import type { DriverName } from './connection.ts'
import { onOwnConnection, snapshot, type TransferOptions } from './database-file.ts'
import { joinTransaction } from './join.ts'
import { LazyDatabase } from './lazy-database.ts'
import { batchOf } from './run-batch.ts'
import { toSqliteError } from './sqlite-errors.ts'
import { type SqliteOptions, type SqliteSettings, sqliteSettings } from './sqlite-options.ts'
import { kindOf } from './statement-text.ts'
import { whenFree } from './when-free.ts'

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

class Sqlite implements SqliteEngine {
  readonly name = NAME
  readonly types = COLUMN_TYPES
  readonly jsonArray = 'json_array'
  private readonly settings: SqliteSettings
  private readonly database: LazyDatabase

  constructor(settings: SqliteSettings) {
    this.settings = settings
    this.database = new LazyDatabase(settings)
  }

  get textHoldsNul(): boolean {
    return this.database.textHoldsNul
  }

  batch(statements: readonly Statement[], options: BatchOptions = {}): Promise<BatchResult> {
    return this.database.follow(this.write(statements, options))
  }

  query(statement: Statement, options: QueryOptions = {}): Promise<readonly Row[]> {
    return this.database.follow(this.read('query', statement, options))
  }

  async outcome(id: string, options: QueryOptions = {}): Promise<boolean | undefined> {
    try {
      const [row] = await this.database.follow(this.readState(id, options))
      return row === undefined ? undefined : row.state === 2n
    } catch (error) {
      if (isNoOperationsYet(error)) return undefined
      throw error
    }
  }

  async forget(before: number): Promise<number> {
    const statement = forgetting(before, this)
    try {
      const { results } = await this.batch([statement])
      return results?.[0]?.changes ?? 0
    } catch (error) {
      if (isNoOperationsYet(error)) return 0
      throw error
    }
  }

  join(transaction: unknown) {
    this.database.assertOpen('join')
    const { path, driver, now } = this.settings
    return joinTransaction(transaction, {
      path,
      handed: typeof driver === 'object' ? driver : undefined,
      now,
      check(statements, options, holder) {
        assertJoinedBatch(statements, options, { ...holder, kindOf })
        return batchOf(statements, { ...options, guard: 'data' })
      },
      checkQuery: assertStatement,
    })
  }

  async *backup({ signal }: TransferOptions = {}): AsyncGenerator<Uint8Array> {
    const { session } = await this.database.open('backup')
    const { path, driver, busyTimeoutMs } = this.settings
    // Our own connection may be in the middle of a transaction; a database in memory has no other.
    const own = this.database.handed !== undefined || path === ':memory:'
    yield* snapshot(
      into =>
        own
          ? whenFree(() => session.withoutWaiting(() => session.connection.exec(into)), busyTimeoutMs, signal)
          : onOwnConnection(path, driver as DriverName | undefined, into, busyTimeoutMs, signal),
      signal,
    )
  }

  async load(file: AsyncIterable<Uint8Array>, { signal }: TransferOptions = {}): Promise<void> {
    this.database.assertOpen('load')
    const { path } = this.settings
    if (this.database.handed !== undefined || path === ':memory:')
      throw new StorageError('unsupported', 'load: only a database that was given by its path is replaced', {
        operation: 'load',
        provider: NAME,
      })
    await this.database.replace(file, signal)
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

  close(): Promise<void> {
    return this.database.close()
  }

  private async write(statements: readonly Statement[], options: BatchOptions): Promise<BatchResult> {
    const { writer } = await this.database.open('batch')
    assertBatch(statements, options, { name: NAME, textHoldsNul: this.textHoldsNul, kindOf })
    const end = deadline(options, 'batch', NAME)
    try {
      return await writer.add(batchOf(statements, options), {
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

  private async readState(id: string, options: QueryOptions) {
    // Only the open database knows which text its library can hold.
    await this.database.open('outcome')
    assertId('outcome', id, this)
    return this.read('outcome', askOperation(id), options)
  }

  private async read(operation: string, statement: Statement, options: QueryOptions) {
    assertQueryOptions(operation, options, this)
    const { session } = await this.database.open(operation)
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
}

/** Nobody has given an id in this database yet. */
function isNoOperationsYet(error: unknown): boolean {
  return error instanceof StorageError && /no such table: \S*stowage_operations/.test(error.message)
}
