/**
 * What is read off a statement's text before it is sent. rqlite forgives too much: it drops empty statements, gives
 * one result for two statements in one string, ignores parameters that are too many, forgets the rows of RETURNING
 * before a line break, and lets BEGIN open a transaction that all clients then share.
 */
import type { Asked } from '../engine/assert-call.ts'
import {
  COMMON_KINDS,
  type Dialect,
  refuseStatement,
  SQLITE_SYNTAX,
  type StatementKind,
  scanStatement,
} from '../engine/scan-statement.ts'

export interface StatementText {
  readonly kind: StatementKind
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

const DIALECT: Dialect = {
  ...SQLITE_SYNTAX,
  engine: 'rqlite',
  kinds: { ...COMMON_KINDS, REPLACE: 'write' },
  refused: 'transactions, PRAGMA and ATTACH would be shared by all clients',
}

/** Each node computes these for itself when it applies the log. */
const RANDOM = /^random(?:blob)?$/i
const CLOCK = /^current_(?:timestamp|date|time)$/i
const TIME_FUNCTION = /^(?:date|time|datetime|julianday|unixepoch|strftime|timediff)$/i

const MAX_KNOWN = 1000
const known = new Map<string, StatementText>()

/** For the checks that all engines share. */
export const RQLITE: Asked = { name: 'rqlite', textHoldsNul: true, kindOf: sql => statementText(sql).kind }

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
  const { kind, returning } = scanStatement(sql, DIALECT, (token, _at, spaced) => reader.take(token, spaced))
  const { differs, compound, star } = reader
  const pieces = reader.end()
  return { kind, returning, pieces, differs, compound, star, json: JSON.stringify(pieces.join('?')) }
}

class Reader {
  compound = false
  star = false
  differs: string | undefined
  private readonly pieces: string[] = []
  private piece = ''
  private previous = ''
  /** For each open parenthesis, whether it holds the arguments of a time function. */
  private readonly open: boolean[] = []

  take(token: string, spaced: boolean): void {
    if (/^['"`]$/.test(token)) throw refuseStatement(DIALECT, 'has a quote that does not end')
    this.follow(token)
    // Comments and line breaks go: before a line break rqlite overlooks RETURNING.
    if (spaced && this.piece !== '') this.piece += ' '
    if (token === '?') {
      this.pieces.push(this.piece)
      this.piece = ''
    } else {
      this.piece += token
    }
    this.previous = token
  }

  end(): string[] {
    return [...this.pieces, this.piece.trimEnd()]
  }

  private follow(token: string): void {
    if (token === '*' && this.previous !== '(') this.star = true
    if (token === '(') this.open.push(TIME_FUNCTION.test(this.previous))
    else if (token === ')') this.close()
    else if (/^'now'$/i.test(token) && this.open.includes(true)) this.differs ??= "the clock ('now')"
    else if (RANDOM.test(token) || CLOCK.test(token)) this.differs ??= token.toLowerCase()
    else if (/^(?:union|except|intersect)$/i.test(token)) this.compound = true
  }

  private close(): void {
    const ofTime = this.open.pop()
    if (ofTime && this.previous === '(') this.differs ??= 'the clock (a time function without arguments)'
  }
}
