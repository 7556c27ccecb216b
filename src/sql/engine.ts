/**
 * The contract of an SQL engine. SQLite on one machine, PostgreSQL beside the application's rows, rqlite on a
 * cluster: the same statements, the same answers.
 *
 * The common ground is one batch, all or nothing. There is no other transaction: on rqlite a batch goes into one entry
 * of the Raft log, alone or beside others. What must depend on data is a guard inside the batch (`condition`, `held`), never a read before it.
 *
 * Statements are written in what SQLite and PostgreSQL have in common, with `?` for parameters and the column types of
 * `types`. Times and ids are parameters: `random()`, `datetime('now')` and the like differ between nodes.
 */
import { invalidArgument } from '../core/errors.ts'

/**
 * A value that is stored as it is, to the last bit. As parameters: a `bigint` is an INTEGER, a `number` a REAL (which
 * an INTEGER column takes where it is whole), bytes are a BLOB. In rows every INTEGER is a `bigint` and every REAL a
 * `number`, whatever its size, so that a value's type never depends on the value. `Infinity`, `NaN`, booleans and
 * dates are refused.
 */
export type SqlValue = null | string | number | bigint | Uint8Array

export type Statement = readonly [sql: string, ...parameters: SqlValue[]]

export type Row = Readonly<Record<string, SqlValue>>

/** What one statement did: rows changed, and the rows of a SELECT or of RETURNING. */
export interface StatementResult {
  readonly changes: number
  readonly rows: readonly Row[]
}

/** Names of column types in CREATE TABLE. */
export interface ColumnTypes {
  /** Signed, 64 bits. */
  readonly integer: string
  /** IEEE 754, 64 bits. */
  readonly real: string
  /** UTF-8, compared and sorted byte by byte. */
  readonly text: string
  readonly blob: string
}

export interface BatchOptions {
  /**
   * The operation's id, used once and never again (a ULID). With it the batch happens exactly once, however often it
   * is sent: an answer that was lost is resolved by asking for the id, and a repeated id does nothing. Without it, a
   * lost answer is the error `pending`.
   */
  readonly id?: string
  /** A SELECT: the batch happens only where it gives a row. Needs `id`. */
  readonly condition?: Statement
  /**
   * How the statements learn that the batch must not happen. `abort` (default): the engine makes the batch fail, so any
   * statement will do. `data`: every statement carries `held(id)` in its WHERE and does nothing by itself; then a lost
   * race costs the neighbours in a grouped request nothing.
   */
  readonly guard?: 'abort' | 'data'
  /**
   * Names of what the batch decides about. Batches that share one run one after the other, as all do on SQLite and
   * rqlite; PostgreSQL takes an advisory lock for each.
   */
  readonly locks?: readonly string[]
  /** On disk before it is answered, whatever the engine's own durability is. Needed before an effect on bytes. */
  readonly durable?: boolean
  /**
   * Milliseconds to wait for a lock that another transaction holds; then `timeout`, and nothing happened. PostgreSQL
   * only: SQLite waits for its one lock as its own options say, and rqlite has none that stays for longer than a batch.
   */
  readonly lockWaitMs?: number
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/**
 * `applied`: whether the batch happened, now or under this id before; false where its condition did not hold. `results`
 * has one entry a statement. It is undefined where the batch did not happen, and where it happened under this id before
 * and its answer was lost: then read what it left behind.
 */
export interface BatchResult {
  readonly applied: boolean
  readonly results: readonly StatementResult[] | undefined
}

/**
 * How old the answer of a read may be. `stale`: whatever the nearest node has. `session` (default): at least what
 * this client has written. `linearizable`: all that anyone has written. Only rqlite has nodes to choose from; SQLite and
 * PostgreSQL answer each from the one database that they have.
 */
export type Consistency = 'stale' | 'session' | 'linearizable'

export interface QueryOptions {
  readonly consistency?: Consistency
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Batches inside a transaction of the caller's, who commits it or rolls it back. */
export interface JoinedTransaction {
  /**
   * Whether the engine can run nothing of its own until the transaction ends: on SQLite it holds the only write lock,
   * on PGlite the only connection. What must be on disk before the transaction commits has to be there before it begins.
   */
  readonly blocksEngine: boolean
  /**
   * As the engine's own `batch`, always with `guard: 'data'`. One that fails is undone by itself, and the caller's
   * transaction goes on as it was.
   */
  batch(statements: readonly Statement[], options: JoinedBatchOptions): Promise<BatchResult>
  query(statement: Statement): Promise<readonly Row[]>
}

export interface JoinedBatchOptions {
  readonly id: string
  readonly condition?: Statement
  readonly locks?: readonly string[]
}

/** All methods reject with a `StorageError`; `join` throws it. */
export interface Engine {
  /** `sqlite`, `postgres`, `rqlite`: for messages. */
  readonly name: string
  /** What CREATE TABLE calls the four types. */
  readonly types: ColumnTypes
  /** The function that makes a JSON array of its arguments. Integers above 2^53 can't be read back from it exactly. */
  readonly jsonArray: 'json_array' | 'json_build_array'
  /** Whether text may hold NUL. On SQLite the library decides, and it is `false` until that is chosen at the first call. */
  readonly textHoldsNul: boolean

  /**
   * Runs statements in order, all or none.
   *
   * @throws `pending` where it is unknown whether the batch happened. In all other cases nothing happened: `conflict`
   *   for a constraint, or for other transactions that were in the way each time; `invalid-argument` for a value or a
   *   statement that the engine refuses; `unavailable`, `timeout`, `aborted`
   */
  batch(statements: readonly Statement[], options?: BatchOptions): Promise<BatchResult>

  /** Reads. @throws `invalid-argument` for a statement that writes */
  query(statement: Statement, options?: QueryOptions): Promise<readonly Row[]>

  /**
   * Whether the batch with this id happened. `false`: its condition did not hold. `undefined`: it has not been seen, or
   * was refused under `guard: 'abort'`, which leaves nothing behind. Linearizable. One that is still under way may yet
   * happen.
   */
  outcome(id: string, options?: QueryOptions): Promise<boolean | undefined>

  /** Forgets the ids of operations that were sent before `before`, milliseconds since 1970. Returns how many. */
  forget(before: number): Promise<number>

  /**
   * @throws `unsupported` where the engine has no interactive transactions, or does not know this kind of handle;
   *   `invalid-argument`, here or at the first batch, where no transaction is open on it
   */
  join(transaction: unknown): JoinedTransaction

  /** Releases sockets and handles that the engine made; those that were handed to it stay open. */
  close(): Promise<void>
}

/**
 * The guard that a statement of a batch with `guard: 'data'` carries: `['UPDATE … WHERE … AND ' + HELD, …, id]`.
 * True inside that batch only, and only where its condition held.
 */
export const HELD = 'EXISTS (SELECT 1 FROM stowage_operations WHERE id = ? AND state = 1)'

/** Table of operation ids. `state`: 0 the condition did not hold, 1 inside the batch, 2 it happened. */
export function operationsTable(types: ColumnTypes): string {
  return `CREATE TABLE IF NOT EXISTS stowage_operations (id ${types.text} PRIMARY KEY, state ${types.integer} NOT NULL, at ${types.integer} NOT NULL)`
}

/** The first statement of a batch with an id. Under `abort` it fails for a repeated id, and where the condition does not hold. */
export function beginOperation(
  id: string,
  condition: Statement | undefined,
  guard: 'abort' | 'data',
  at: number,
): Statement {
  const [sql, ...parameters] = condition ?? ['SELECT 1']
  const refused = guard === 'data' ? '0' : 'NULL'
  const insert = `INSERT INTO stowage_operations (id, state, at) SELECT ?, CASE WHEN EXISTS (${sql}) THEN 1 ELSE ${refused} END, ? WHERE 1 = 1`
  return [guard === 'data' ? `${insert} ON CONFLICT (id) DO NOTHING` : insert, id, ...parameters, BigInt(at)]
}

/** The last statement of a batch with an id: changes a row where the batch happened now. */
export function endOperation(id: string): Statement {
  return ['UPDATE stowage_operations SET state = 2 WHERE id = ? AND state = 1', id]
}

/** The question that resolves a lost answer. A row with state 0: refused; 2: happened; none: not seen. */
export function askOperation(id: string): Statement {
  return ['SELECT state FROM stowage_operations WHERE id = ?', id]
}

/** @throws `invalid-argument` for a statement or a value that no engine takes alike */
export function assertStatement(statement: Statement, engine: Pick<Engine, 'name' | 'textHoldsNul'>): void {
  const refuse = (problem: string) => invalidArgument('sql', engine.name, problem)
  if (!Array.isArray(statement)) throw refuse('a statement is an array of [sql, ...parameters]')
  const [sql, ...parameters] = statement
  if (typeof sql !== 'string' || sql.trim() === '') throw refuse('a statement begins with its SQL')
  parameters.forEach((value, index) => {
    const problem = valueProblem(value, engine.textHoldsNul)
    if (problem !== undefined) throw refuse(`parameter ${index + 1} ${problem}`)
  })
}

const MAX_INTEGER = 2n ** 63n - 1n
const MIN_INTEGER = -(2n ** 63n)

/** Never shows the value: it may be a secret. */
function valueProblem(value: unknown, textHoldsNul: boolean): string | undefined {
  if (value === null || value instanceof Uint8Array) return undefined
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) return 'is text with a lone surrogate, which no engine keeps'
      return textHoldsNul || !value.includes('\0')
        ? undefined
        : 'is text with a NUL, which this engine cannot keep'
    case 'number':
      return Number.isFinite(value)
        ? undefined
        : `is ${value}; only finite numbers are the same on every engine`
    case 'bigint':
      return value >= MIN_INTEGER && value <= MAX_INTEGER ? undefined : 'is an integer beyond 64 bits'
    case 'boolean':
      return 'is a boolean; store 0n or 1n'
    default:
      return value instanceof Date
        ? 'is a date; store its milliseconds as a bigint'
        : `is ${value === undefined ? 'undefined; absent is null' : `of a kind that is not stored (${typeof value})`}`
  }
}
