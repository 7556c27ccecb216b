/**
 * `libsql` reads text up to its first NUL, and ends the process at text that is no UTF-8. So every value is asked for
 * as its type and, where it is text, as its bytes.
 */
import { isWord, type SqlToken, sqlTokens, topLevel } from './sql-tokens.ts'

const TAIL_KEYWORDS = new Set(['END', 'NULL', 'ISNULL', 'NOTNULL', 'TRUE', 'FALSE', 'CURRENT_TIMESTAMP'])
const BINDING_KEYWORDS = new Set([
  'COLLATE',
  'IS',
  'NOT',
  'AND',
  'OR',
  'IN',
  'LIKE',
  'GLOB',
  'BETWEEN',
  'ELSE',
  'THEN',
])

/** Two columns a value: `typeof`, and the value or its bytes. Undefined for PRAGMA and EXPLAIN, which can't be asked. */
export function exactly(sql: string, columns: readonly string[]): string | undefined {
  const tokens = sqlTokens(sql)
  const returning = topLevel(tokens, 'RETURNING')
  if (returning >= 0) return exactReturning(sql, tokens.slice(returning), columns)
  if (!['SELECT', 'VALUES', 'WITH'].some(word => isWord(tokens[0], word))) return undefined
  const names = columns.map((_, index) => `c${index}`)
  const last = tokens.filter(token => token.text !== ';').at(-1)
  return `WITH stand_in_rows(${names}) AS MATERIALIZED (${sql.slice(0, last?.end)}) SELECT ${names.map(typed)} FROM stand_in_rows`
}

const typed = (expression: string) =>
  `typeof(${expression}), CASE typeof(${expression}) WHEN 'text' THEN CAST(${expression} AS BLOB) ELSE ${expression} END`

function exactReturning(sql: string, tokens: readonly SqlToken[], columns: readonly string[]): string {
  const terms = termsOf(tokens.slice(1).filter(token => token.text !== ';'))
  const starColumns = columns.length - terms.filter(term => !isStar(term)).length
  const expressions: string[] = []
  for (const term of terms) {
    if (isStar(term)) {
      const names = columns.slice(expressions.length, expressions.length + starColumns)
      expressions.push(...names.map(name => `"${name.replaceAll('"', '""')}"`))
    } else {
      const kept = withoutAlias(term)
      expressions.push(`(${sql.slice(kept[0]?.start, kept.at(-1)?.end)})`)
    }
  }
  return `${sql.slice(0, tokens[0]?.end)} ${expressions.map(typed)}`
}

const isStar = (term: readonly SqlToken[]) => term.length === 1 && term[0]?.text === '*'

function termsOf(tokens: readonly SqlToken[]): SqlToken[][] {
  const terms: SqlToken[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.text === '(') depth += 1
    if (token.text === ')') depth -= 1
    if (token.text === ',' && depth === 0) terms.push([])
    else terms.at(-1)?.push(token)
  }
  return terms
}

function withoutAlias(term: readonly SqlToken[]): readonly SqlToken[] {
  const [before, last] = term.slice(-2)
  if (!before || !last) return term
  if (isWord(before, 'AS')) return term.slice(0, -2)
  const mayBeAlias =
    (last.kind === 'word' || last.kind === 'quoted') && !TAIL_KEYWORDS.has(last.text.toUpperCase())
  const endsExpression =
    before.text === ')' ||
    (before.kind !== 'sign' && !(before.kind === 'word' && BINDING_KEYWORDS.has(before.text.toUpperCase())))
  return mayBeAlias && endsExpression ? term.slice(0, -1) : term
}
