import {
  COMMON_KINDS,
  type Dialect,
  SQLITE_SYNTAX,
  type StatementKind,
  scanStatement,
} from '../engine/scan-statement.ts'

export interface StatementText {
  readonly kind: StatementKind
  readonly parameters: number
}

const DIALECT: Dialect = {
  ...SQLITE_SYNTAX,
  engine: 'sqlite',
  kinds: { ...COMMON_KINDS, EXPLAIN: 'read', REPLACE: 'write' },
  refused: 'transactions, PRAGMA and ATTACH belong to the engine',
}

/** For the checks that all engines share. */
export const kindOf = (sql: string): StatementKind => readStatementText(sql).kind

/** @throws `invalid-argument` for more than one statement, for one the engine keeps to itself, for other parameters than `?` */
export function readStatementText(sql: string): StatementText {
  let parameters = 0
  const { kind } = scanStatement(sql, DIALECT, token => {
    if (token === '?') parameters++
  })
  return { kind, parameters }
}
