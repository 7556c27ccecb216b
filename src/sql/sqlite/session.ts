import { invalidArgument } from '../../core/errors.ts'
import { askOperation, operationsTable, type Row, type Statement, type StatementResult } from '../engine.ts'
import { COLUMN_TYPES } from './column-types.ts'
import type { Connection, Prepared } from './connection.ts'
import { foreignTransaction } from './sqlite-errors.ts'
import type { Durability } from './sqlite-options.ts'
import { readStatementText, type StatementText } from './statement-text.ts'

interface Known extends StatementText {
  readonly prepared: Prepared
}

/** Statements kept ready. An application has some dozens; what builds its SQL anew each time must not fill the memory. */
const KEPT = 500

/** One connection with its prepared statements and its settings. Nothing here waits: each call runs to its end. */
export class Session {
  private readonly known = new Map<string, Known>()
  private readonly controls = new Map<string, Prepared>()
  private askTimeout: Prepared | undefined
  private synchronous: Durability | undefined
  private operationsExist = false

  /** `ours`: nobody else changes its settings. */
  constructor(
    readonly connection: Connection,
    private readonly ours: boolean,
  ) {}

  /** WAL, so that readers and the writer don't wait for each other; foreign keys as PostgreSQL has them. */
  configure(durability: Durability): void {
    this.connection.exec('PRAGMA journal_mode = WAL')
    this.connection.exec('PRAGMA foreign_keys = ON')
    // Only macOS knows the difference: without it a synced file may still be in the drive's cache.
    this.connection.exec('PRAGMA fullfsync = ON')
    this.connection.exec('PRAGMA checkpoint_fullfsync = ON')
    this.setDurability(durability)
  }

  /** SQLite takes it between transactions only. */
  setDurability(durability: Durability): void {
    if (this.ours && this.synchronous === durability) return
    this.control(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
    this.synchronous = durability
  }

  /** BEGIN, COMMIT, SAVEPOINT and the like. */
  control(sql: string): void {
    if (!this.connection.endsHeldStatements) {
      this.connection.exec(sql)
      return
    }
    let prepared = this.controls.get(sql)
    if (prepared === undefined) {
      prepared = this.connection.prepare(sql)
      this.controls.set(sql, prepared)
    }
    if (prepared.reader) prepared.all([])
    else prepared.run([])
  }

  /**
   * Runs `work`, which finds the database held by another at once, or not at all: a database that was handed over may
   * have been told to wait, and would hold up everything else in this process.
   */
  withoutWaiting<Result>(work: () => Result): Result {
    if (this.ours) return work()
    if (this.connection.inTransaction()) throw foreignTransaction()
    const [row] = this.busyTimeout.all([])
    const before = Number(row?.timeout)
    if (before === 0) return work()
    this.control('PRAGMA busy_timeout = 0')
    try {
      return work()
    } finally {
      this.connection.exec(`PRAGMA busy_timeout = ${before}`)
    }
  }

  run(statement: Statement): StatementResult {
    const { kind, prepared } = this.find(statement)
    const [, ...parameters] = statement
    if (!prepared.reader) {
      const changes = prepared.run(parameters)
      // What changed the schema changed no rows; SQLite still counts those of the statement before.
      return { changes: kind === 'write' ? changes : 0, rows: [] }
    }
    const rows = prepared.all(parameters)
    return { changes: kind === 'write' ? this.changes() : 0, rows }
  }

  /** @throws `invalid-argument` for a statement that writes */
  read(statement: Statement): readonly Row[] {
    const { kind, prepared } = this.find(statement)
    if (kind !== 'read') throw invalidArgument('query', 'sqlite', 'the statement writes; give it to batch')
    const [, ...parameters] = statement
    return prepared.all(parameters)
  }

  /** Makes the table of operations in the transaction that is open; `settled` says that it is there to stay. */
  ensureOperations(): void {
    if (!this.operationsExist) this.connection.exec(operationsTable(COLUMN_TYPES))
  }

  settled(): void {
    this.operationsExist = true
  }

  operationState(id: string): bigint | undefined {
    return this.run(askOperation(id)).rows[0]?.state as bigint | undefined
  }

  private get busyTimeout(): Prepared {
    this.askTimeout ??= this.connection.prepare('PRAGMA busy_timeout')
    return this.askTimeout
  }

  private changes(): number {
    return Number(this.run(['SELECT changes() AS changes']).rows[0]?.changes)
  }

  private find([sql, ...parameters]: Statement): Known {
    const known = this.known.get(sql) ?? this.learn(sql)
    if (known.parameters !== parameters.length) {
      const problem = `the statement has ${known.parameters} ? and was given ${parameters.length} parameters`
      throw invalidArgument('sql', 'sqlite', problem)
    }
    return known
  }

  private learn(sql: string): Known {
    const text = readStatementText(sql)
    const known = { ...text, prepared: this.connection.prepare(sql) }
    if (text.kind === 'schema') return known
    if (this.known.size >= KEPT) this.known.delete(this.known.keys().next().value as string)
    this.known.set(sql, known)
    return known
  }
}
