import type { OwnValues } from '../core/driver.ts'
import { StorageError } from '../core/errors.ts'
import { assertStatement, type Statement } from '../sql/engine.ts'
import type { RecordSet } from './record-set.ts'

/** What joins a change of files to the caller's own rows. */
export interface JoinOptions {
  /**
   * Statements of the caller's own, in the batch in which the thing happens: they happen with it or not at all. Written
   * as the engine takes them, see `Statement`.
   */
  also?: readonly Statement[]
  /**
   * The caller's open transaction: the change of the record commits and rolls back with it. Bytes follow after the
   * commit: at once with `settle(…)`, else by the worker. The operation to settle is the `operationId` of a deletion, and
   * the `etag` of a new file, which is what replaced or moved bytes are journaled under.
   *
   * On PostgreSQL a pg client, or what postgres.js, Drizzle, Kysely and PGlite hand out in their transactions, READ
   * COMMITTED or SERIALIZABLE. The engine needs a connection beside the transaction's: where both come from one pool,
   * as many transactions as it has connections wait for each other for ever, so give the engine a pool of its own.
   *
   * On SQLite the open database of better-sqlite3, libsql or node:sqlite after its `BEGIN IMMEDIATE`; the
   * `db.transaction(() => …)` of better-sqlite3 can't wait for anything, so the statements are run one by one. While it
   * is open nothing else can write, so what needs a journaled intent first (an upload) is prepared before it begins:
   * `prepareUpload` and `publish`. The same on PGlite, which has one connection.
   *
   * @example
   * ```ts
   * db.exec('BEGIN IMMEDIATE')
   * try {
   *   db.prepare('DELETE FROM photos WHERE key = ?').run(key)
   *   const { operationId } = await files.delete(key, { transaction: db })
   *   db.exec('COMMIT')
   *   if (operationId !== undefined) await files.settle(operationId)
   * } catch (error) {
   *   if (db.inTransaction) db.exec('ROLLBACK')
   *   throw error
   * }
   * ```
   */
  transaction?: unknown
}

/** What only marks records, and what points them at bytes that must be there and journaled before. */
const NEEDS_NO_INTENT: ReadonlySet<string> = new Set(['delete', 'deleteMany', 'publish'])

/** @throws `invalid-argument` */
export function ownOptionsOf(set: RecordSet, operation: string, own: OwnValues): JoinOptions {
  const { also, transaction } = own
  if (also !== undefined) {
    if (!Array.isArray(also) || !also.every(Array.isArray))
      throw set.refuse(operation, 'also must be an array of statements, each [sql, …parameters]')
    for (const statement of also) assertStatement(statement as never, set.engine)
  }
  if (transaction !== undefined) {
    if (also !== undefined)
      throw set.refuse(operation, 'give also or transaction: in a transaction run your statements yourself')
    // Refuses a handle that is none, before anything is stored.
    if (set.join(transaction).blocksEngine) assertNothingToWaitFor(set, operation)
  }
  return { also: also as JoinOptions['also'], transaction }
}

/** The transaction holds what the engine would wait for, and ends only when this call has. */
function assertNothingToWaitFor(set: RecordSet, operation: string): void {
  const details = { operation, provider: set.provider.name }
  if (!NEEDS_NO_INTENT.has(operation))
    throw new StorageError('unsupported', `${operation}: ${BLOCKED}; ${insteadOf(operation)}`, details)
  if (set.isReady) return
  throw set.refuse(
    operation,
    `${BLOCKED}, and the tenant's tables have not been looked at yet; await recover() once, before any transaction`,
  )
}

const BLOCKED = 'this transaction keeps the engine from writing until it ends'

function insteadOf(operation: string): string {
  switch (operation) {
    case 'upload':
      return 'call prepareUpload() before it begins and publish() inside it, or upload with also'
    case 'finalize':
      return 'call prepareFinalize() before it begins and publish() inside it, or finalize with also'
    default:
      return 'run your statements with also'
  }
}
