import type { OwnValues } from '../core/driver.ts'
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
   * The caller's open transaction, on PostgreSQL (pg client, postgres.js, Drizzle, Kysely) or better-sqlite3: the change
   * of the record commits and rolls back with it. Bytes follow after the commit: at once with
   * `settle(result.operationId)`, else by the worker.
   */
  transaction?: unknown
}

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
    set.join(transaction)
  }
  return { also: also as JoinOptions['also'], transaction }
}
