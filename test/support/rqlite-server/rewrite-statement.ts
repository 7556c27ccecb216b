/** What rqlite does to a statement before it goes into the log: random values and times become literals. */
import { randomBytes } from 'node:crypto'
import { isWord, type SqlToken, splitStatements, sqlTokens } from './sql-tokens.ts'

export interface RewriteOptions {
  random: boolean
  time: boolean
  /** Milliseconds since 1970. */
  now: () => number
}

export interface Rewritten {
  sql: string
  /** Its rows are wanted: it has a RETURNING clause that rqlite noticed. */
  returnsRows: boolean
}

const TIME_CALLS = ['time(', 'date(', 'julianday(', 'unixepoch(', 'timediff(']
const RANDOM_CALLS = ['random(', 'randomblob(']
/** At which arguments `'now'` is replaced. */
const NOW_ARGUMENTS: Record<string, number[]> = {
  DATE: [0],
  TIME: [0],
  DATETIME: [0],
  JULIANDAY: [0],
  UNIXEPOCH: [0],
  STRFTIME: [1],
  TIMEDIFF: [0, 1],
}

/** A statement is looked into only where its lower-case text holds one of a few words, followed by what is shown here. */
export function rewriteStatement(sql: string, { random, time, now }: RewriteOptions): Rewritten {
  const lower = sql.toLowerCase()
  const holds = (words: string[]) => words.some(word => lower.includes(word))
  const isLookedInto =
    (time && holds(TIME_CALLS)) || (random && holds(RANDOM_CALLS)) || holds(['returning ', 'explain '])
  if (!isLookedInto) return { sql, returnsRows: false }
  const [first = ''] = splitStatements(sql)
  const tokens = sqlTokens(first)
  const edits = callEdits(tokens, { random, time, now })
  let rewritten = ''
  let at = 0
  for (const { start, end, text } of edits) {
    rewritten += first.slice(at, start) + text
    at = end
  }
  rewritten += first.slice(at)
  return {
    // A rewritten statement is printed from its syntax tree: what stood behind the first semicolon is gone.
    sql: edits.length > 0 ? rewritten.replace(/;\s*$/, '') : sql,
    returnsRows: tokens.some(token => isWord(token, 'RETURNING')),
  }
}

interface Edit {
  start: number
  end: number
  text: string
}

function callEdits(tokens: SqlToken[], { random, time, now }: RewriteOptions): Edit[] {
  const edits: Edit[] = []
  const day = (now() / 86_400_000 + 2440587.5).toFixed(6)
  const ordered = orderedRanges(tokens)
  tokens.forEach((token, index) => {
    if (token.kind !== 'word' || tokens[index + 1]?.text !== '(') return
    const name = token.text.toUpperCase()
    const close = closing(tokens, index + 1)
    const args = argumentsOf(tokens, index + 1, close)
    const end = tokens[close]?.end ?? token.end
    if (time && NOW_ARGUMENTS[name])
      for (const position of NOW_ARGUMENTS[name]) {
        const argument = args[position]
        if (argument?.length !== 1 || !argument[0]) continue
        const { start, end: argumentEnd, text } = argument[0]
        if (/^['"]?now['"]?$/i.test(text)) edits.push({ start, end: argumentEnd, text: day })
      }
    if (!random || ordered.some(range => index > range.from && index < range.to)) return
    if (name === 'RANDOM' && args.length === 0)
      edits.push({
        start: token.start,
        end,
        text: String(randomBytes(8).readBigInt64BE() & (2n ** 63n - 1n)),
      })
    const size = args[0]?.length === 1 ? args[0][0] : undefined
    if (name === 'RANDOMBLOB' && args.length === 1 && size && /^\d+$/.test(size.text)) {
      const bytes = randomBytes(Math.max(Number(size.text), 1))
        .toString('hex')
        .toUpperCase()
      edits.push({ start: token.start, end, text: `x'${bytes}'` })
    }
  })
  return edits.sort((a, b) => a.start - b.start)
}

/** `ORDER BY random()` stays as it is. */
function orderedRanges(tokens: SqlToken[]): { from: number; to: number }[] {
  return tokens.flatMap((token, from) => {
    if (!isWord(token, 'ORDER') || !isWord(tokens[from + 1], 'BY')) return []
    let depth = 0
    let to = from + 2
    for (; to < tokens.length; to += 1) {
      if (tokens[to]?.text === '(') depth += 1
      if (tokens[to]?.text === ')') depth -= 1
      if (depth < 0 || (depth === 0 && isWord(tokens[to], 'LIMIT'))) break
    }
    return [{ from, to }]
  })
}

function closing(tokens: SqlToken[], open: number): number {
  let depth = 0
  for (let index = open; index < tokens.length; index += 1) {
    if (tokens[index]?.text === '(') depth += 1
    if (tokens[index]?.text === ')') depth -= 1
    if (depth === 0) return index
  }
  return tokens.length - 1
}

function argumentsOf(tokens: SqlToken[], open: number, close: number): SqlToken[][] {
  const args: SqlToken[][] = []
  let depth = 0
  let current: SqlToken[] = []
  for (const token of tokens.slice(open + 1, close)) {
    if (token.text === '(') depth += 1
    if (token.text === ')') depth -= 1
    if (token.text === ',' && depth === 0) {
      args.push(current)
      current = []
    } else current.push(token)
  }
  return current.length > 0 ? [...args, current] : args
}
