/** One connection to a node's database file, and what rqlite's SQLite driver makes of a call. */
import Database from 'libsql'
import { type Cell, cellFor, Text, typeOfCell } from './column-values.ts'
import { exactly } from './exact-rows.ts'
import type { Parameter, Statement } from './parse-statements.ts'
import { isWord, numberParameters, splitStatements, sqlTokens, topLevel } from './sql-tokens.ts'

/** A table of rows; without columns for a statement that gives none. */
export interface RowsResult {
  columns: string[]
  types: string[]
  values: Cell[][]
  /** The tables that the columns come from, `''` for an expression. */
  tables: string[]
}

/** SQLite's two counters, which a statement that is no insert, update or delete leaves as they were. */
export interface ChangeResult {
  lastInsertId: bigint
  rowsAffected: bigint
}

const isEmpty = (sql: string) => sqlTokens(sql).every(token => token.text === ';')

export class Connection {
  private readonly database: Database.Database
  private readonly counters: Database.Statement

  constructor(path: string, foreignKeys: boolean) {
    this.database = new Database(path)
    this.database.exec('PRAGMA journal_mode = WAL')
    this.database.exec('PRAGMA synchronous = OFF')
    this.database.exec(`PRAGMA foreign_keys = ${foreignKeys ? 'ON' : 'OFF'}`)
    this.counters = this.database.prepare('SELECT last_insert_rowid(), changes()').raw().safeIntegers()
  }

  get isInTransaction(): boolean {
    return this.database.inTransaction
  }

  /** Statements of the stand-in itself. */
  command(sql: string): void {
    this.database.exec(sql)
  }

  close(): void {
    this.database.close()
  }

  /** As `sqlite3_stmt_readonly` has it: BEGIN and COMMIT write nothing. @throws where the statement is none */
  isReadOnly(sql: string): boolean {
    return !this.effects(sql).some(effect => effect !== 'nothing')
  }

  /** Whether a connection that only reads refuses the statement. @throws where the statement is none */
  isRefusedToReaders(sql: string): boolean {
    return this.effects(sql).includes('writes')
  }

  /**
   * By its verb, not by EXPLAIN: that resets `changes()`. Only a PRAGMA must be explained, because it depends on which
   * one it is.
   */
  private effects(sql: string): ('nothing' | 'writes' | 'administers')[] {
    const [first = ''] = splitStatements(sql)
    if (isEmpty(first)) return []
    const { sql: numbered } = numberParameters(first)
    this.database.prepare(numbered)
    const verb = verbOf(first)
    if (verb === 'VACUUM') return ['administers']
    if (verb !== 'PRAGMA') return [READING_VERBS.has(verb) ? 'nothing' : 'writes']
    const steps = this.rawRows(`EXPLAIN ${numbered}`, []) as [bigint, string, bigint, bigint][]
    return steps.map(([, code, , p2]) => {
      if (code === 'Transaction' && p2 !== 0n) return 'writes'
      return code === 'JournalMode' || code === 'Checkpoint' ? 'administers' : 'nothing'
    })
  }

  /** Every statement of the string, one result: the last one's. */
  execute({ sql, parameters }: Statement): ChangeResult {
    let start = 0
    const parts = splitStatements(sql)
    for (const part of parts)
      if (!isEmpty(part)) start += this.step(part, parameters, start, parameters.length).count
    // A comment behind the last semicolon is a statement, and its result the one that counts.
    if (isEmpty(parts.at(-1) ?? '')) return { lastInsertId: 0n, rowsAffected: 0n }
    const [counted] = this.counters.all([]) as unknown as [[bigint, bigint]]
    const [lastInsertId, rowsAffected] = counted
    return { lastInsertId, rowsAffected }
  }

  /** Of several statements in the string only the last one runs: the others are prepared and closed. */
  query({ sql, parameters }: Statement): RowsResult {
    const parts = splitStatements(sql)
    const last = parts.pop() ?? ''
    let start = 0
    for (const part of parts) {
      const { sql: numbered, count } = numberParameters(part)
      this.database.prepare(numbered)
      start += count
    }
    if (isEmpty(last)) return { columns: [], types: [], values: [], tables: [] }
    return this.step(last, parameters, start, parameters.length - start).rows()
  }

  /** Runs at once where the statement gives no rows, and when they are asked for where it does. */
  private step(sql: string, all: Statement['parameters'], start: number, given: number) {
    const numbered = numberParameters(sql)
    const prepared = this.database.prepare(numbered.sql)
    if (all.length - start < numbered.count)
      throw new Error(`not enough args to execute query: want ${numbered.count} got ${given}`)
    const values = bound(numbered, all, start)
    const columns = prepared.columns()
    if (columns.length === 0) {
      prepared.run(values)
      return { count: numbered.count, rows: () => ({ columns: [], types: [], values: [], tables: [] }) }
    }
    // The names of columns come from the text as it was sent.
    const names = this.database.prepare(sql).columns()
    const declared = columns.map(column => (column.type ?? '').toLowerCase())
    const exact = exactly(
      numbered.sql,
      columns.map(column => column.name),
    )
    const read = exact === undefined ? this.read(numbered.sql, values) : this.read(exact, values).map(pairs)
    const rows = (): RowsResult => {
      const types = [...declared]
      const cells = read.map((row, index) => {
        const made = row.map((value, column) => cellFor(value, declared[column] ?? '', types[column] ?? ''))
        if (index === 0)
          made.forEach((cell, column) => {
            types[column] ||= typeOfCell(cell)
          })
        return made
      })
      return {
        columns: names.map(column => column.name),
        types,
        values: cells,
        tables: names.map(column => column.table ?? ''),
      }
    }
    return { count: numbered.count, rows }
  }

  private read(sql: string, values: Parameter[]): Raw[][] {
    const rows = this.rawRows(sql, values) as (Exclude<Raw, Text> | string)[][]
    return rows.map(row =>
      row.map(value => (typeof value === 'string' ? new Text(Buffer.from(value)) : value)),
    )
  }

  /** At its end EXPLAIN goes on to count as running, and all reads see what it saw; `get` resets a statement. */
  private rawRows(sql: string, values: Parameter[]): unknown[][] {
    const prepared = this.database.prepare(sql).raw().safeIntegers()
    const rows = prepared.all(values) as unknown[][]
    if (isWord(sqlTokens(sql)[0], 'EXPLAIN')) prepared.get(values)
    return rows
  }
}

const READING_VERBS = new Set(
  'SELECT VALUES EXPLAIN BEGIN COMMIT END ROLLBACK SAVEPOINT RELEASE ATTACH DETACH'.split(' '),
)
const VERBS_AFTER_WITH = ['SELECT', 'VALUES', 'INSERT', 'REPLACE', 'UPDATE', 'DELETE']

/** What stands first, or after the tables of WITH. */
function verbOf(sql: string): string {
  const tokens = sqlTokens(sql)
  const [first, second] = tokens
  if (isWord(first, 'BEGIN') && (isWord(second, 'IMMEDIATE') || isWord(second, 'EXCLUSIVE')))
    return 'IMMEDIATE'
  if (!isWord(first, 'WITH')) return first?.text.toUpperCase() ?? ''
  const found = VERBS_AFTER_WITH.map(verb => ({ verb, at: topLevel(tokens, verb) })).filter(
    ({ at }) => at >= 0,
  )
  return found.sort((a, b) => a.at - b.at)[0]?.verb ?? 'SELECT'
}

type Raw = Exclude<Cell, boolean>

function pairs(row: Raw[]): Raw[] {
  const values: Raw[] = []
  for (let index = 0; index < row.length; index += 2) {
    const type = row[index]
    const value = row[index + 1] as Raw
    const isText = type instanceof Text && type.bytes.toString() === 'text'
    values.push(isText ? new Text(value as Buffer) : value)
  }
  return values
}

/** Without a name by position, with one wherever `:name`, `@name` or `$name` stands. */
function bound(
  { count, byName }: ReturnType<typeof numberParameters>,
  all: Statement['parameters'],
  start: number,
): Parameter[] {
  const values: Parameter[] = Array(count).fill(null)
  all.slice(start, start + count).forEach(({ name, value }, index) => {
    if (name === undefined) values[index] = value
  })
  for (const { name, value } of all)
    for (const prefix of name === undefined ? [] : [':', '@', '$']) {
      const number = byName.get(prefix + name)
      if (number !== undefined) values[number - 1] = value
    }
  return values
}
