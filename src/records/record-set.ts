import { setTimeout as timer } from 'node:timers/promises'
import { invalidArgument, isStorageError, StorageError } from '../core/errors.ts'
import { PROCESS_OWNER } from '../core/process-owner.ts'
import type { StorageProvider } from '../core/provider.ts'
import type {
  BatchOptions,
  BatchResult,
  Engine,
  JoinedTransaction,
  QueryOptions,
  Row,
  Statement,
} from '../sql/engine.ts'
import { JOB_COLUMNS, type Job, jobFrom } from './journal-row.ts'
import { readAdoptMet } from './meet-files.ts'
import { idFactory } from './new-id.ts'
import { type FileRecord, RECORD_COLUMNS, recordFrom } from './record.ts'
import type { RecordsEventBody } from './records-event.ts'
import { type RecordsOptions, type RecordsSettings, recordsSettings } from './records-options.ts'
import { StoreClock } from './store-clock.ts'
import { tenantOf, tenantTable } from './tenant-id.ts'
import { createTenant, type Tenant } from './tenants.ts'

/** One tenant's files: where they are, where their records are, and what all parts of the library share about them. */
export class RecordSet {
  readonly provider: StorageProvider
  readonly engine: Engine
  readonly tenant: string
  readonly settings: RecordsSettings
  readonly options: RecordsOptions
  readonly clock: StoreClock
  readonly owner: string
  readonly now: () => number
  readonly monotonic: () => number
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>
  /** A wait that does not keep the process alive. */
  readonly rest: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly newId: () => string
  readonly #find: FindTenant
  #ready: Promise<Tenant> | undefined
  #isReady = false
  #adoptsMet = false

  constructor(
    provider: StorageProvider,
    engine: Engine,
    options: RecordsOptions,
    find: FindTenant = createdTenant,
  ) {
    this.#find = find
    this.settings = recordsSettings(options)
    this.options = options
    this.provider = provider
    this.engine = engine
    this.tenant = tenantOf(options.tenant, options.env)
    this.owner = options.owner ?? PROCESS_OWNER
    this.now = options.now ?? Date.now
    this.monotonic = options.monotonic ?? (() => performance.now())
    this.wait = options.wait ?? ((ms, signal) => timer(ms, undefined, { signal }))
    this.rest = (ms, signal) =>
      options.wait?.(ms, signal, 'background') ?? timer(ms, undefined, { signal, ref: false })
    this.newId = options.newId ?? idFactory(this.now)
    this.clock = new StoreClock(this)
  }

  /** The full name of one of this tenant's tables. */
  table(name: string): string {
    return tenantTable(this.tenant, name)
  }

  /** Sees to it, once, that the tenant and its tables are there. A failure is not remembered. */
  ready(): Promise<Tenant> {
    if (this.#ready === undefined) {
      const made = this.#prepare()
      this.#ready = made
      made.then(
        () => {
          this.#isReady = true
        },
        () => {
          this.#ready = undefined
        },
      )
    }
    return this.#ready
  }

  async #prepare(): Promise<Tenant> {
    const tenant = await this.#find(this)
    this.#adoptsMet = await readAdoptMet(this)
    return tenant
  }

  /** Whether objects without a record become files when they are met. Known once it is ready. */
  get adoptsMet(): boolean {
    return this.#adoptsMet
  }

  /** Whether `ready` asks the database nothing any more. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** The beginning of all its keys in the bucket. */
  async root(): Promise<string> {
    return (await this.ready()).root
  }

  /** A guarded batch that is on disk before it is answered: every effect on bytes comes after one. */
  async batch(
    statements: readonly Statement[],
    options: BatchOptions & { id: string },
  ): Promise<BatchResult> {
    await this.ready()
    return this.engine.batch(statements, { guard: 'data', durable: true, ...options })
  }

  /** An unguarded batch that happens once: an answer that was lost is asked for. */
  async write(
    statements: readonly Statement[],
    options: Omit<BatchOptions, 'id' | 'condition' | 'guard'> = {},
  ): Promise<BatchResult> {
    return this.engine.batch(statements, { id: `${this.newId()}:write`, ...options })
  }

  async query(statement: Statement, options?: QueryOptions): Promise<readonly Row[]> {
    await this.ready()
    return this.engine.query(statement, options)
  }

  /** The live record of a key. */
  async record(
    key: string,
    options?: QueryOptions,
    joined?: JoinedTransaction,
  ): Promise<FileRecord | undefined> {
    const statement: Statement = [
      `SELECT ${RECORD_COLUMNS} FROM ${this.table('files')} WHERE key = ? AND state = 'live'`,
      key,
    ]
    await this.ready()
    const [row] = joined === undefined ? await this.query(statement, options) : await joined.query(statement)
    return row && recordFrom(row)
  }

  /** Live records of keys, at most some hundreds. */
  async records(keys: readonly string[], options?: QueryOptions): Promise<Map<string, FileRecord>> {
    if (keys.length === 0) return new Map()
    const rows = await this.query(
      [
        `SELECT ${RECORD_COLUMNS} FROM ${this.table('files')} WHERE state = 'live' AND key IN (${placeholders(keys)})`,
        ...keys,
      ],
      options,
    )
    return new Map(rows.map(row => [String(row.key), recordFrom(row)]))
  }

  async jobs(where: Statement, options?: QueryOptions): Promise<Job[]> {
    const [condition, ...parameters] = where
    const rows = await this.query(
      [`SELECT ${JOB_COLUMNS} FROM ${this.table('journal')} WHERE ${condition}`, ...parameters],
      options,
    )
    return rows.map(jobFrom)
  }

  /** What batches about one key have in common, so that no two of them decide at once. */
  locks(...names: readonly string[]): string[] {
    return names.map(name => `${this.tenant}:${name}`)
  }

  join(transaction: unknown): JoinedTransaction {
    return this.engine.join(transaction)
  }

  emit(event: RecordsEventBody): void {
    try {
      this.options.onEvent?.({ ...event, tenant: this.tenant } as never)
    } catch {
      // A listener that fails must not fail what it listens to.
    }
  }

  refuse(operation: string, problem: string): StorageError {
    return invalidArgument(operation, this.provider.name, problem)
  }

  error(error: unknown, operation: string, key?: string): StorageError {
    if (isStorageError(error)) return error
    return new StorageError('internal', `${operation}: ${(error as Error)?.message ?? 'failed'}`, {
      operation,
      provider: this.provider.name,
      key,
      cause: error,
    })
  }
}

/** The tenant of a record set, in a state in which it may be used. */
export type FindTenant = (set: RecordSet) => Promise<Tenant>

function createdTenant({ engine, tenant, options: { root }, now, newId }: RecordSet): Promise<Tenant> {
  return createTenant(engine, tenant, { root, now, newId })
}

export function placeholders(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

/**
 * Milliseconds that work in the journal waits for a caller's open transaction. What it waits for in vain is left for a
 * later round: a transaction that is never ended must not hold up everything else.
 */
export function lockWait({ settings }: RecordSet): number {
  return Math.max(1_000, settings.patienceMs)
}
