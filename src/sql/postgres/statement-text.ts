import type { Asked } from '../engine/assert-call.ts'
import { COMMON_KINDS, type Dialect, type StatementKind, scanStatement } from '../engine/scan-statement.ts'

export interface StatementText {
  /** The text between the parameters: one more than there are parameters. */
  readonly pieces: readonly string[]
  readonly kind: StatementKind
  readonly givesRows: boolean
}

const DIALECT: Dialect = {
  engine: 'postgres',
  // The four ways PostgreSQL has: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
  quoted:
    /[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[\s\S]*?\1/,
  otherParameter: /[?$]\d+/,
  otherParameterDoes: 'numbers',
  commentsNest: true,
  triggersHoldStatements: false,
  kinds: {
    ...COMMON_KINDS,
    EXPLAIN: 'read',
    MERGE: 'write',
    TRUNCATE: 'schema',
    COMMENT: 'schema',
    GRANT: 'schema',
    REVOKE: 'schema',
    LOCK: 'schema',
  },
  refused: 'transactions and settings belong to the engine',
}

/** For the checks that all engines share. */
export const POSTGRES: Asked = {
  name: 'postgres',
  textHoldsNul: false,
  kindOf: sql => readStatementText(sql).kind,
}

/** @throws `invalid-argument` for more than one statement, for one that the engine keeps to itself, for other parameters than `?` */
export function readStatementText(sql: string): StatementText {
  const pieces: string[] = []
  let begin = 0
  const { kind, returning, end } = scanStatement(sql, DIALECT, (token, at) => {
    if (token !== '?') return
    pieces.push(sql.slice(begin, at))
    begin = at + 1
  })
  pieces.push(sql.slice(begin, end))
  return { pieces, kind, givesRows: kind === 'read' || returning }
}
