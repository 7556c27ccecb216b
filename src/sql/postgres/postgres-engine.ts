import { deadline } from '../../core/deadline.ts'
import { StorageError } from '../../core/errors.ts'
import { assertBatch, assertId, assertQueryOptions, assertReads, forgetting } from '../engine/assert-call.ts'
import {
  askOperation,
  type BatchOptions,
  type BatchResult,
  beginOperation,
  type Engine,
  endOperation,
  type JoinedTransaction,
  type QueryOptions,
  type Row,
  type Statement,
  type StatementResult,
} from '../engine.ts'
import { takeLocks } from './advisory-locks.ts'
import { createOperations } from './create-operations.ts'
import { joinTransaction, verdictOf } from './joined-transaction.ts'
import { type PgStatement, toPgStatement } from './pg-statement.ts'
import { isMissingOperations, isTransient, operationVerdict, toPostgresError } from './postgres-errors.ts'
import type { PostgresSettings } from './postgres-options.ts'
import { asking, type Client, isServerError, TransactionFailure } from './session.ts'
import { quoted, settingsStatement } from './settings.ts'
import { POSTGRES } from './statement-text.ts'
import { TYPES } from './values.ts'

/** Tries of one batch, where each is known not to have happened. */
const ATTEMPTS = 10

export class PostgresEngine implements Engine {
  readonly name = 'postgres'
  readonly types = TYPES
  readonly jsonArray = 'json_build_array'
  readonly textHoldsNul = false
  readonly #settings: PostgresSettings
  #client: Promise<Client> | undefined
  #closing: Promise<void> | undefined

  constructor(settings: PostgresSettings) {
    this.#settings = settings
  }

  async batch(statements: readonly Statement[], options: BatchOptions = {}): Promise<BatchResult> {
    assertBatch(statements, options, POSTGRES)
    const { signal, clear } = deadline(options, 'batch', this.name)
    try {
      return await this.#repeat(statements.map(toPgStatement), { ...options, signal })
    } finally {
      clear()
    }
  }

  /**
   * A batch that did not happen is sent again: where the operations table was missing, after a deadlock, and where the
   * connection broke and the server does not know the id. The old connection may still be at work then; the id, which
   * is unique, lets one of the two happen only.
   */
  async #repeat(statements: readonly PgStatement[], options: BatchOptions): Promise<BatchResult> {
    const { id, signal } = options
    let uncertain = false
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(statements, options)
      } catch (failure) {
        const error = failure instanceof TransactionFailure ? failure.cause : failure
        const decided = operationVerdict(error)
        // Also where the condition failed: PostgreSQL checks that before the id, which may have happened by itself.
        if (decided) return { applied: await this.#happened(id!), results: undefined }
        const left = attempt < ATTEMPTS && signal?.aborted !== true
        if (left && isMissingOperations(error)) {
          await this.#createOperations(await this.#open())
          continue
        }
        if (left && isTransient(error)) continue
        const lost = failure instanceof TransactionFailure && failure.commitSent && !isServerError(error)
        uncertain ||= lost
        if (!uncertain) throw toPostgresError(error, 'batch', signal)
        if (id === undefined || signal?.aborted) throw pending(error)
        const outcome = await this.outcome(id, { signal }).catch(() => {
          throw pending(error)
        })
        if (outcome !== undefined) return { applied: outcome, results: undefined }
        // A refusal by the server answers this try only: one before it, whose connection broke, may be at work still.
        if (!left || isServerError(error)) throw pending(error)
      }
    }
  }

  async #attempt(statements: readonly PgStatement[], options: BatchOptions): Promise<BatchResult> {
    const {
      id,
      condition,
      guard = 'abort',
      locks = [],
      durable = false,
      lockWaitMs,
      signal,
      timeoutMs,
    } = options
    const before = this.#settle(timeoutMs, durable, lockWaitMs)
    // READ COMMITTED lets two batches both find their conditions true, each before the other has written: only the
    // locks, taken by a statement before the one that asks, make the second see what the first has done.
    if (locks.length > 0) before.push(takeLocks(locks))
    const own =
      id === undefined
        ? statements
        : [
            toPgStatement(beginOperation(id, condition, guard, this.#settings.now())),
            ...statements,
            toPgStatement(endOperation(id)),
          ]
    // With an id a lost answer can be resolved, so COMMIT may go along. A caller who may leave needs to know that
    // nothing happens any more, and so does one without an id.
    const together = id !== undefined && signal === undefined
    const client = await this.#open()
    const all = await client.transaction([...before, ...own], { together, signal })
    const results = all.slice(before.length)
    if (id === undefined) return { applied: true, results }
    return verdictOf(results) ?? { applied: await this.#happened(id), results: undefined }
  }

  async query(statement: Statement, options: QueryOptions = {}): Promise<readonly Row[]> {
    assertQueryOptions('query', options, this)
    assertReads(statement, POSTGRES)
    return (await this.#read(toPgStatement(statement), 'query', options)).rows
  }

  async outcome(id: string, options: QueryOptions = {}): Promise<boolean | undefined> {
    assertQueryOptions('outcome', options, this)
    assertId('outcome', id, this)
    const { rows } = await this.#read(toPgStatement(askOperation(id)), 'outcome', options)
    return rows[0] === undefined ? undefined : rows[0].state === 2n
  }

  /** For a batch that did not happen now. */
  async #happened(id: string): Promise<boolean> {
    const outcome = await this.outcome(id).catch(error => {
      throw pending(error)
    })
    return outcome === true
  }

  /** A read may be sent again whatever became of it: a pool may hold connections that a restart has ended. */
  async #read(statement: PgStatement, operation: string, options: QueryOptions): Promise<StatementResult> {
    const { signal, clear } = deadline(options, operation, this.name)
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#readOnce(statement, options.timeoutMs, signal)
        } catch (failure) {
          const error = failure instanceof TransactionFailure ? failure.cause : failure
          if (operation === 'outcome' && isMissingOperations(error)) return { changes: 0, rows: [] }
          const mayWork = isTransient(error) || (!isServerError(error) && !(error instanceof StorageError))
          if (attempt < 3 && mayWork && signal?.aborted !== true) continue
          throw toPostgresError(error, operation, signal)
        }
      }
    } finally {
      clear()
    }
  }

  async #readOnce(
    statement: PgStatement,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<StatementResult> {
    const client = await this.#open()
    const before = this.#settle(timeoutMs, false)
    if (before.length === 0) return client.query(statement, signal)
    const results = await client.transaction([...before, statement], { together: true, signal })
    return results.at(-1)!
  }

  async forget(before: number): Promise<number> {
    const { results } = await this.batch([forgetting(before, this)])
    return results![0]!.changes
  }

  join(transaction: unknown): JoinedTransaction {
    return joinTransaction(transaction, this.#settings)
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeClient()
    return this.#closing
  }

  async #closeClient(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    await client?.close()
  }

  async #open(): Promise<Client> {
    if (this.#closing)
      throw new StorageError('invalid-argument', 'the PostgreSQL engine is closed', { provider: this.name })
    // A failure is not kept: what was missing may be installed the next time.
    this.#client ??= this.#connect().catch(error => {
      this.#client = undefined
      throw error
    })
    return this.#client
  }

  /** Where the schema is missing, CREATE TABLE fails: so it is made before anything else. */
  async #connect(): Promise<Client> {
    const { open, schema } = this.#settings
    const client = await open()
    if (schema === undefined) return client
    const table = `${quoted(schema)}.stowage_operations`
    const { rows } = await client.query(asking('SELECT to_regclass(?) IS NULL AS missing', table), undefined)
    if (rows[0]!.missing === 1n) await this.#createOperations(client)
    return client
  }

  #settle(timeoutMs: number | undefined, durable: boolean, lockWaitMs?: number): PgStatement[] {
    const { schema, statementTimeoutMs } = this.#settings
    const times = [timeoutMs, statementTimeoutMs].filter(time => time !== undefined)
    return settingsStatement({
      schema,
      timeoutMs: times.length > 0 ? Math.min(...times) : undefined,
      lockWaitMs,
      durable,
    })
  }

  async #createOperations(client: Client): Promise<void> {
    const statements = [...this.#settle(undefined, false), ...createOperations(this.#settings.schema)]
    try {
      await client.transaction(statements, { together: true, signal: undefined })
    } catch (failure) {
      throw toPostgresError((failure as TransactionFailure).cause, 'batch', undefined)
    }
  }
}

function pending(cause: unknown): StorageError {
  const message = 'batch: the answer was lost; whether the batch happened is unknown until outcome() is asked'
  return new StorageError('pending', message, { operation: 'batch', provider: 'postgres', cause })
}
