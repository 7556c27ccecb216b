/**
 * What is read off a statement's text before it is sent. rqlite forgives too much: it drops empty statements, gives
 * one result for two statements in one string, ignores parameters that are too many, forgets the rows of RETURNING
 * before a line break, and lets BEGIN open a transaction that all clients then share.
 */
import { invalidArgument, type StorageError } from '../../core/errors.ts'

export interface StatementText {
  /** `read`: no row can change. `write`: INSERT, UPDATE, DELETE, REPLACE. `schema`: CREATE, DROP, ALTER and the like. */
  readonly kind: 'read' | 'write' | 'schema'
  /** Whether rows come back from a `write`. */
  readonly returning: boolean
  /** The text around its parameters: one more than there are parameters. Without comments and line breaks. */
  readonly pieces: readonly string[]
  /** Why it cannot stand in a batch: nodes would compute different values. */
  readonly differs: string | undefined
  /** Whether rows of several SELECTs come together, so that a column has no one origin. */
  readonly compound: boolean
  /** Whether it may ask for `*`, so that the schema decides about its columns. */
  readonly star: boolean
  /** The text as a JSON string: the same statement is sent often. */
  readonly json: string
}

const KINDS: Readonly<Record<string, StatementText['kind']>> = {
  SELECT: 'read',
  VALUES: 'read',
  INSERT: 'write',
  REPLACE: 'write',
  UPDATE: 'write',
  DELETE: 'write',
  CREATE: 'schema',
  DROP: 'schema',
  ALTER: 'schema',
  REINDEX: 'schema',
  ANALYZE: 'schema',
}

/** Blanks and comments, quoted text of the four kinds, words, numbers, parameters, and any other sign by itself. */
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w.]*|\?\d*|[:@$][\w$:]+|[\s\S]/g
const BLANK = /^(?:\s|--|\/\*)/
const NAMED_PARAMETER = /^(?:\?\d|[:@$][\w$:])/
/** Each node computes these for itself when it applies the log. */
const RANDOM = /^random(?:blob)?$/i
const CLOCK = /^current_(?:timestamp|date|time)$/i
const TIME_FUNCTION = /^(?:date|time|datetime|julianday|unixepoch|strftime|timediff)$/i
const ALLOWED =
  'a statement selects, inserts, updates, deletes or changes the schema; transactions, PRAGMA and ATTACH would be shared by all clients'

const MAX_KNOWN = 1000
const known = new Map<string, StatementText>()

/** @throws `invalid-argument` for more than one statement, for one that is refused, for other parameters than `?` */
export function statementText(sql: string): StatementText {
  const text = known.get(sql)
  if (text !== undefined) return text
  const read = readStatement(sql)
  // The texts of a program are few; where they are made up one by one, none is worth keeping.
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(sql, read)
  return read
}

function readStatement(sql: string): StatementText {
  const reader = new Reader()
  for (const [token] of sql.matchAll(TOKEN)) reader.take(token)
  return reader.end()
}

class Reader {
  private readonly pieces: string[] = []
  private piece = ''
  private ended = false
  private first: string | undefined
  private main: string | undefined
  private previous = ''
  private returning = false
  private compound = false
  private star = false
  private differs: string | undefined
  private inTrigger = false
  private blocks = 0
  /** For each open parenthesis, whether it holds the arguments of a time function. */
  private readonly open: boolean[] = []

  take(token: string): void {
    if (BLANK.test(token)) {
      // Comments and line breaks go: before a line break rqlite overlooks RETURNING.
      if (this.piece !== '' && !this.piece.endsWith(' ')) this.piece += ' '
      return
    }
    if (this.ended) {
      if (token === ';') return
      throw refuse('holds more than one statement; give each its own entry in the batch')
    }
    if (NAMED_PARAMETER.test(token)) throw refuse('names its parameters; write each as a bare ?')
    if (/^['"`]$/.test(token)) throw refuse('has a quote that does not end')
    this.follow(token)
    if (token === '?') {
      this.pieces.push(this.piece)
      this.piece = ''
    } else if (!this.ended) {
      this.piece += token
    }
    this.previous = token
  }

  end(): StatementText {
    const word = this.main ?? this.first
    if (word === undefined) throw refuse('is empty')
    const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined
    if (kind === undefined) throw refuse(`begins with ${word.slice(0, 20)}; ${ALLOWED}`)
    const pieces = [...this.pieces, this.piece.trimEnd()]
    const { returning, differs, compound, star } = this
    return { kind, returning, pieces, differs, compound, star, json: JSON.stringify(pieces.join('?')) }
  }

  private follow(token: string): void {
    if (token === '*' && this.previous !== '(') this.star = true
    if (token === '(') this.open.push(TIME_FUNCTION.test(this.previous))
    else if (token === ')') this.close()
    else if (token === ';') this.ended = !this.inTrigger || this.blocks === 0
    else if (/^'now'$/i.test(token) && this.open.includes(true)) this.differs ??= "the clock ('now')"
    else if (/^[A-Za-z]/.test(token)) this.word(token, token.toUpperCase())
    else this.first ??= token
  }

  private close(): void {
    const ofTime = this.open.pop()
    if (ofTime && this.previous === '(') this.differs ??= 'the clock (a time function without arguments)'
  }

  private word(token: string, word: string): void {
    this.first ??= word
    const outside = this.open.length === 0
    // Of WITH, what counts is the word behind the tables that it names.
    if (this.first === 'WITH' && outside && Object.hasOwn(KINDS, word)) this.main ??= word
    if (word === 'RETURNING' && outside && !this.inTrigger) this.returning = true
    if (word === 'UNION' || word === 'EXCEPT' || word === 'INTERSECT') this.compound = true
    if (RANDOM.test(token) || CLOCK.test(token)) this.differs ??= `${token.toLowerCase()}`
    if (this.first === 'CREATE' && word === 'TRIGGER') this.inTrigger = true
    if (!this.inTrigger) return
    if (word === 'BEGIN' || word === 'CASE') this.blocks++
    else if (word === 'END') this.blocks--
  }
}

function refuse(problem: string): StorageError {
  return invalidArgument('sql', 'rqlite', `the statement ${problem}`)
}
