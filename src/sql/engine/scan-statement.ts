/**
 * What can be told from a statement's text before it is sent: where its parameters are, what it does, where it ends.
 * Nothing is parsed further than that; the database does it. Every engine asks for the same, because what lies below
 * does not: one driver ignores what follows the first `;`, another binds NULL where a parameter is missing.
 */
import { invalidArgument, type StorageError } from '../../core/errors.ts'

/** `read`: no row can change. `write`: INSERT, UPDATE, DELETE and the like. `schema`: CREATE, DROP, ALTER and the like. */
export type StatementKind = 'read' | 'write' | 'schema'

/** In what the engines' SQL differs, as far as a scan has to know it. */
export interface Dialect {
  /** For messages. */
  readonly engine: string
  /** Quoted text of all kinds. */
  readonly quoted: RegExp
  /** A parameter that is not a bare `?`. */
  readonly otherParameter: RegExp
  /** What such a parameter does: `names`, `numbers`. */
  readonly otherParameterDoes: string
  readonly commentsNest: boolean
  /** Whether CREATE TRIGGER holds statements with semicolons of their own, between BEGIN and END. */
  readonly triggersHoldStatements: boolean
  readonly kinds: Readonly<Record<string, StatementKind>>
  /** What statements may not do, and why: the end of a sentence. */
  readonly refused: string
}

/** First words that every engine takes. */
export const COMMON_KINDS: Dialect['kinds'] = {
  SELECT: 'read',
  VALUES: 'read',
  INSERT: 'write',
  UPDATE: 'write',
  DELETE: 'write',
  CREATE: 'schema',
  DROP: 'schema',
  ALTER: 'schema',
  REINDEX: 'schema',
  ANALYZE: 'schema',
}

/** How SQLite writes: in a process, and behind rqlite. */
export const SQLITE_SYNTAX = {
  // A doubled quote is the end of one and the beginning of the next, which is the same to a scan.
  quoted: /'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]/,
  otherParameter: /\?\d+|[:@$][\w$:]+/,
  otherParameterDoes: 'names',
  commentsNest: false,
  triggersHoldStatements: true,
} as const

export interface ScannedStatement {
  readonly kind: StatementKind
  /** Whether it ends with RETURNING. */
  readonly returning: boolean
  /** Where its last `;` stands, or its text's end. */
  readonly end: number
}

/** A word, a quoted text, a number, or any other sign: all but blanks and comments. `spaced`: these stand before it. */
export type SeeToken = (token: string, at: number, spaced: boolean) => void

/**
 * Shows each token of one statement to `see`, without the semicolons at its end.
 *
 * @throws `invalid-argument` for more than one statement, for one that is refused, for other parameters than `?`
 */
export function scanStatement(sql: string, dialect: Dialect, see: SeeToken): ScannedStatement {
  const pattern = tokenPattern(dialect)
  const otherParameter = new RegExp(`^(?:${dialect.otherParameter.source})`)
  const words = new Words(dialect)
  let end = sql.length
  let spaced = false
  for (let at = 0; at < sql.length; at = pattern.lastIndex) {
    pattern.lastIndex = at
    const [token] = pattern.exec(sql) as RegExpExecArray
    if (token === '/*') pattern.lastIndex = commentEnd(sql, at, dialect.commentsNest)
    if (token === '/*' || /^(?:\s|--)/.test(token)) {
      spaced = true
      continue
    }
    if (words.ended && token !== ';')
      throw refuseStatement(dialect, 'holds more than one statement; give each its own entry in the batch')
    if (otherParameter.test(token))
      throw refuseStatement(dialect, `${dialect.otherParameterDoes} its parameters; write each as a bare ?`)
    words.take(token)
    if (words.ended) end = Math.min(end, at)
    else see(token, at, spaced)
    spaced = false
  }
  return { kind: words.kind(), returning: words.returning, end }
}

export function refuseStatement({ engine }: Pick<Dialect, 'engine'>, problem: string): StorageError {
  return invalidArgument('sql', engine, `the statement ${problem}`)
}

/** Blanks and line comments, the beginning of a block comment, quoted text, words, numbers, parameters, other signs. */
function tokenPattern({ quoted, otherParameter }: Dialect): RegExp {
  const word = '[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*'
  const all = ['\\s+', '--[^\\n]*', '\\/\\*', quoted.source, word, '\\d[\\w.]*', otherParameter.source]
  return new RegExp(`${all.join('|')}|[\\s\\S]`, 'y')
}

function commentEnd(sql: string, at: number, nests: boolean): number {
  const edge = nests ? /\/\*|\*\//g : /\*\//g
  edge.lastIndex = at + 2
  let depth = 1
  for (let match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return sql.length
}

/** Follows the words of a statement as far as needed to know what it does and where it ends. */
class Words {
  ended = false
  returning = false
  private first: string | undefined
  private main: string | undefined
  private parentheses = 0
  private inTrigger = false
  private blocks = 0
  private readonly dialect: Dialect

  constructor(dialect: Dialect) {
    this.dialect = dialect
  }

  take(token: string): void {
    if (token === '(') this.parentheses++
    else if (token === ')') this.parentheses = Math.max(0, this.parentheses - 1)
    else if (token === ';') this.ended = !this.inTrigger || this.blocks === 0
    else if (/^[A-Za-z]\w*$/.test(token)) this.word(token.toUpperCase())
    else this.first ??= token
  }

  kind(): StatementKind {
    const word = this.main ?? this.first
    if (word === undefined) throw refuseStatement(this.dialect, 'is empty')
    const kind = this.kindOf(word)
    if (kind !== undefined) return kind
    const allowed = 'a statement selects, inserts, updates, deletes or changes the schema'
    throw refuseStatement(
      this.dialect,
      `begins with ${word.slice(0, 20)}; ${allowed}: ${this.dialect.refused}`,
    )
  }

  private word(word: string): void {
    this.first ??= word
    const outside = this.parentheses === 0
    // Of WITH, what counts is the word behind the tables that it names.
    if (this.first === 'WITH' && outside && this.kindOf(word) !== undefined) this.main ??= word
    if (word === 'RETURNING' && outside && !this.inTrigger) this.returning = true
    if (this.dialect.triggersHoldStatements && this.first === 'CREATE' && word === 'TRIGGER')
      this.inTrigger = true
    if (!this.inTrigger) return
    if (word === 'BEGIN' || word === 'CASE') this.blocks++
    else if (word === 'END') this.blocks--
  }

  private kindOf(word: string): StatementKind | undefined {
    const { kinds } = this.dialect
    return Object.hasOwn(kinds, word) ? kinds[word] : undefined
  }
}
