/** The three ways in which rqlite runs a list of statements, with what each does at an error. */
import type { ChangeResult, Connection, RowsResult } from './connection.ts'
import type { Statement } from './parse-statements.ts'

export interface Batch {
  statements: readonly Statement[]
  transaction: boolean
  qualifyColumns?: boolean
  /** Text of `/db/load`: the first error rolls back what is open and ends the run. */
  rollbackOnError?: boolean
  /** Statements that will not be through within the `db_timeout` of the request. */
  isTooSlow?: (sql: string) => boolean
}

/** `prepare`: found before the statement ran, by `/db/request`. */
export type Result =
  | { kind: 'changes'; changes: ChangeResult }
  | { kind: 'rows'; rows: RowsResult }
  | { kind: 'error'; message: string; from: 'execute' | 'query' | 'prepare' }

/** The whole answer has no results and this error. */
export class BatchFailure extends Error {}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** `/db/execute`: in a transaction every error ends it, without one every error is the statement's own. */
export function runExecute(connection: Connection, batch: Batch): Result[] {
  return inTransaction(connection, batch, abort => {
    const results: Result[] = []
    for (const statement of filled(batch.statements)) {
      const result = executeOne(connection, statement, batch)
      results.push(result)
      if (result.kind !== 'error') continue
      if (abort()) break
      if (batch.rollbackOnError) {
        if (connection.isInTransaction) connection.command('ROLLBACK')
        break
      }
    }
    return results
  })
}

/** `/db/request`: an error that shows before a statement runs ends no transaction, and the rest is committed. */
export function runRequest(connection: Connection, batch: Batch): Result[] {
  return inTransaction(connection, batch, abort => {
    const results: Result[] = []
    for (const statement of filled(batch.statements)) {
      let isReadOnly: boolean
      try {
        isReadOnly = connection.isReadOnly(statement.sql)
      } catch (error) {
        results.push({ kind: 'error', message: messageOf(error), from: 'prepare' })
        continue
      }
      const result = isReadOnly
        ? queryOne(connection, statement, batch)
        : executeOne(connection, statement, batch)
      results.push(result)
      if (result.kind === 'error' && abort()) break
    }
    return results
  })
}

/** `/db/query`: no error ends anything. */
export function runQuery(connection: Connection, batch: Batch): Result[] {
  return inTransaction(connection, batch, () =>
    filled(batch.statements).map(statement => {
      try {
        if (connection.isRefusedToReaders(statement.sql))
          return {
            kind: 'error' as const,
            message: 'attempt to change database via query operation',
            from: 'query' as const,
          }
      } catch (error) {
        return { kind: 'error' as const, message: messageOf(error), from: 'query' as const }
      }
      return queryOne(connection, statement, batch)
    }),
  )
}

/** Empty statements are dropped, which shifts the results. */
const filled = (statements: readonly Statement[]) => statements.filter(({ sql }) => sql !== '')

/** `abort` ends the transaction, or tells that there is none. */
function inTransaction(
  connection: Connection,
  batch: Batch,
  run: (abort: () => boolean) => Result[],
): Result[] {
  if (!batch.transaction) return run(() => false)
  let isOpen = true
  tell(() => connection.command('BEGIN'))
  const results = run(() => {
    if (connection.isInTransaction) connection.command('ROLLBACK')
    isOpen = false
    return true
  })
  if (!isOpen) return results
  try {
    tell(() => connection.command('COMMIT'))
  } finally {
    if (connection.isInTransaction) connection.command('ROLLBACK')
  }
  return results
}

function tell(act: () => void): void {
  try {
    act()
  } catch (error) {
    throw new BatchFailure(messageOf(error))
  }
}

function executeOne(connection: Connection, statement: Statement, batch: Batch): Result {
  try {
    if (batch.isTooSlow?.(statement.sql)) throw new Error('execute timeout')
    if (statement.returnsRows) return { kind: 'rows', rows: connection.query(statement) }
    return { kind: 'changes', changes: connection.execute(statement) }
  } catch (error) {
    return { kind: 'error', message: messageOf(error), from: 'execute' }
  }
}

function queryOne(connection: Connection, statement: Statement, batch: Batch): Result {
  try {
    if (batch.isTooSlow?.(statement.sql)) throw new Error('query timeout')
    const rows = connection.query(statement)
    if (batch.qualifyColumns)
      rows.columns = rows.columns.map((name, index) =>
        rows.tables[index] ? `${rows.tables[index]}.${name}` : name,
      )
    return { kind: 'rows', rows }
  } catch (error) {
    return { kind: 'error', message: messageOf(error), from: 'query' }
  }
}
