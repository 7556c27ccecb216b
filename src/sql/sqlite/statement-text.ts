/**
 * What can be told from a statement's text before it is prepared. The drivers differ: one ignores what follows the
 * first `;`, another binds NULL where a parameter is missing; here every one of them is asked for the same.
 */
import { invalidArgument, type StorageError } from '../../core/errors.ts'

export interface StatementText {
  /** `read`: no row can change. `write`: INSERT, UPDATE, DELETE, REPLACE. `schema`: CREATE, DROP, ALTER and the like. */
  readonly kind: 'read' | 'write' | 'schema'
  readonly parameters: number
}

const KINDS: Readonly<Record<string, StatementText['kind']>> = {
  SELECT: 'read',
  VALUES: 'read',
  EXPLAIN: 'read',
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

/** Blanks and comments, quoted text of the four kinds, words, parameters, and any other sign by itself. */
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w.]*|\?\d*|[:@$][\w$:]+|[\s\S]/g

/** @throws `invalid-argument` for more than one statement, for one the engine keeps to itself, for other parameters than `?` */
export function readStatementText(sql: string): StatementText {
  const words = new Words()
  let parameters = 0
  for (const [token] of sql.matchAll(TOKEN)) {
    if (/^(?:\s|--|\/\*)/.test(token)) continue
    if (words.ended && token !== ';')
      throw refuse('holds more than one statement; give each its own entry in the batch')
    if (token === '?') parameters++
    else if (/^(?:\?\d|[:@$][\w$:])/.test(token)) throw refuse('names its parameters; write each as a bare ?')
    words.take(token)
  }
  return { kind: words.kind(), parameters }
}

/** Follows the words of a statement as far as needed to know what it does and where it ends. */
class Words {
  ended = false
  private first: string | undefined
  private main: string | undefined
  private parentheses = 0
  private inTrigger = false
  private blocks = 0

  take(token: string): void {
    if (token === '(') this.parentheses++
    else if (token === ')') this.parentheses--
    else if (token === ';') this.ended = !this.inTrigger || this.blocks === 0
    else if (/^[A-Za-z]/.test(token)) this.word(token.toUpperCase())
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
    // Of WITH, what counts is the word behind the tables that it names.
    if (this.first === 'WITH' && this.parentheses === 0 && Object.hasOwn(KINDS, word)) this.main ??= word
    if (this.first === 'CREATE' && word === 'TRIGGER') this.inTrigger = true
    if (!this.inTrigger) return
    if (word === 'BEGIN' || word === 'CASE') this.blocks++
    else if (word === 'END') this.blocks--
  }
}

const ALLOWED =
  'a statement selects, inserts, updates, deletes or changes the schema: transactions, PRAGMA and ATTACH belong to the engine'

function refuse(problem: string): StorageError {
  return invalidArgument('sql', 'sqlite', `the statement ${problem}`)
}
