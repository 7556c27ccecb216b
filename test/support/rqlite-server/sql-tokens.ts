/** Just enough of SQLite's lexer to find where a statement ends, its parameters and its function calls. */

export interface SqlToken {
  kind: 'word' | 'quoted' | 'string' | 'parameter' | 'number' | 'sign'
  text: string
  start: number
  end: number
}

const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(?<string>[xX]?'(?:[^']|'')*'?)|(?<quoted>"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?)|(?<parameter>\?\d*|[:@$][\w$\u0080-\uffff]+)|(?<number>\d[\w.]*(?:(?<=[eE])[+-]\d+)?|\.\d\w*)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<sign>[\s\S])/y

const KINDS = ['string', 'quoted', 'parameter', 'number', 'word', 'sign'] as const

/** Without white space and comments. */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = []
  let at = 0
  while (at < sql.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(sql)
    if (!match) break
    const start = at
    at += match[0].length
    const kind = KINDS.find(name => match.groups?.[name] !== undefined)
    if (kind) tokens.push({ kind, text: match[0], start, end: at })
  }
  return tokens
}

export const isWord = (token: SqlToken | undefined, word: string): boolean =>
  token?.kind === 'word' && token.text.toUpperCase() === word

/** Where the word stands outside all parentheses; -1 where nowhere. */
export function topLevel(tokens: readonly SqlToken[], word: string): number {
  let depth = 0
  return tokens.findIndex(token => {
    if (token.text === '(') depth += 1
    if (token.text === ')') depth -= 1
    return depth === 0 && isWord(token, word)
  })
}

/**
 * The statements of one string. What follows the last semicolon counts where it is not white space only: a comment
 * there is a statement, too.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = []
  let start = 0
  const tokens = sqlTokens(sql)
  const createsTrigger = (at: number) =>
    isWord(tokens[at], 'CREATE') && tokens.slice(at, at + 3).some(token => isWord(token, 'TRIGGER'))
  let isTrigger = createsTrigger(0)
  // Statements inside a trigger end with semicolons of their own.
  let depth = 0
  for (const [index, token] of tokens.entries()) {
    if (isTrigger && (isWord(token, 'BEGIN') || isWord(token, 'CASE'))) depth += 1
    if (isTrigger && isWord(token, 'END')) depth -= 1
    if (token.text !== ';' || depth > 0) continue
    statements.push(sql.slice(start, token.end))
    start = token.end
    isTrigger = createsTrigger(index + 1)
  }
  const rest = sql.slice(start)
  if (rest.trim() !== '' || statements.length === 0) statements.push(rest)
  return statements
}

export interface NumberedParameters {
  /** The statement with every parameter as `?1`, `?2`, … */
  sql: string
  /** The largest number. */
  count: number
  /** Numbers of the named ones, with their prefix. */
  byName: ReadonlyMap<string, number>
}

/** Numbers parameters as SQLite does: `?` is one more than the largest so far, a name keeps its first number. */
export function numberParameters(sql: string): NumberedParameters {
  const byName = new Map<string, number>()
  let count = 0
  let numbered = ''
  let at = 0
  for (const { kind, text, start, end } of sqlTokens(sql)) {
    if (kind !== 'parameter') continue
    let number: number
    if (text === '?') number = count + 1
    else if (text.startsWith('?')) number = Number(text.slice(1))
    else number = byName.get(text) ?? count + 1
    if (!text.startsWith('?')) byName.set(text, number)
    count = Math.max(count, number)
    numbered += `${sql.slice(at, start)}?${number}`
    at = end
  }
  return { sql: numbered + sql.slice(at), count, byName }
}
