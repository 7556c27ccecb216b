/**
 * What can be told from a statement's text: where its parameters are, and what it will answer. Nothing is parsed
 * further than that; PostgreSQL does it.
 */
import { invalidArgument, type StorageError } from '../../core/errors.ts'

export interface StatementText {
  /** The text between the parameters: one more than there are parameters. */
  readonly pieces: readonly string[]
  /** `read`: no row can change. `write`: INSERT, UPDATE, DELETE, MERGE. `schema`: CREATE, DROP, ALTER and the like. */
  readonly kind: 'read' | 'write' | 'schema'
  readonly givesRows: boolean
}

const KINDS: Readonly<Record<string, StatementText['kind']>> = {
  SELECT: 'read',
  VALUES: 'read',
  EXPLAIN: 'read',
  INSERT: 'write',
  UPDATE: 'write',
  DELETE: 'write',
  MERGE: 'write',
  CREATE: 'schema',
  DROP: 'schema',
  ALTER: 'schema',
  REINDEX: 'schema',
  ANALYZE: 'schema',
  TRUNCATE: 'schema',
  COMMENT: 'schema',
  GRANT: 'schema',
  REVOKE: 'schema',
  LOCK: 'schema',
}

/**
 * Blanks and line comments, the beginning of a block comment, text quoted in the four ways PostgreSQL has, words,
 * numbers, parameters, and any other sign by itself.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
const TOKEN =
  /\s+|--[^\n]*|\/\*|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[\s\S]*?\1|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w.]*|\?\d*|\$\d+|[\s\S]/y

/** @throws `invalid-argument` for more than one statement, for one that the engine keeps to itself, for other parameters than `?` */
export function readStatementText(sql: string): StatementText {
  const token = new RegExp(TOKEN)
  const words = new Words()
  const pieces: string[] = []
  let begin = 0
  let end = sql.length
  for (let at = 0; at < sql.length; at = token.lastIndex) {
    token.lastIndex = at
    const [text] = token.exec(sql) as RegExpExecArray
    if (text === '/*') token.lastIndex = commentEnd(sql, at)
    if (text === '/*' || /^(?:\s|--)/.test(text)) continue
    if (end < sql.length && text !== ';')
      throw refuse('holds more than one statement; give each its own entry in the batch')
    if (text === ';') end = Math.min(end, at)
    else if (text === '?') {
      pieces.push(sql.slice(begin, at))
      begin = at + 1
    } else if (/^[?$]\d/.test(text)) throw refuse('numbers its parameters; write each as a bare ?')
    else words.take(text)
  }
  pieces.push(sql.slice(begin, end))
  const kind = words.kind()
  return { pieces, kind, givesRows: kind === 'read' || words.returning }
}

/** Block comments nest in PostgreSQL. */
function commentEnd(sql: string, at: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = at
  for (let depth = 0, match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return sql.length
}

/** Follows the words of a statement as far as needed to know what it does. */
class Words {
  returning = false
  private first: string | undefined
  private main: string | undefined
  private parentheses = 0

  take(token: string): void {
    if (token === '(') this.parentheses++
    else if (token === ')') this.parentheses--
    else if (/^[A-Za-z]\w*$/.test(token)) this.word(token.toUpperCase())
    else this.first ??= token
  }

  kind(): StatementText['kind'] {
    const word = this.main ?? this.first
    if (word === undefined) throw refuse('is empty')
    const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined
    if (kind === undefined) throw refuse(`begins with ${word.slice(0, 20)}; ${ALLOWED}`)
    return kind
  }

  private word(word: string): void {
    this.first ??= word
    if (this.parentheses > 0) return
    // Of WITH, what counts is the word behind the tables that it names.
    if (this.first === 'WITH' && Object.hasOwn(KINDS, word)) this.main ??= word
    if (word === 'RETURNING') this.returning = true
  }
}

const ALLOWED =
  'a statement selects, inserts, updates, deletes or changes the schema: transactions and settings belong to the engine'

function refuse(problem: string): StorageError {
  return invalidArgument('sql', 'postgres', `the statement ${problem}`)
}
