/** One caller's batch on its way: how it is sent, and what the answers to its statements mean for it. */
import {
  type BatchOptions,
  type BatchResult,
  beginOperation,
  endOperation,
  type Statement,
  type StatementResult,
} from '../engine.ts'
import type { StatementAnswer } from './answer-json.ts'
import { columnKind, decodeRows } from './decode-rows.ts'
import { assertSameOnAllNodes, encodeStatement, statementJson } from './encode-statement.ts'
import { failure, statementError } from './failures.ts'
import type { StatementText } from './statement-text.ts'

/** `ask`: the id was there before, and only its row tells what became of it. */
export type Meaning = BatchResult | 'ask'

/**
 * `/db/execute` gives rows only to a statement in whose text it finds RETURNING, and of two in one string the last
 * one's; `/db/request` would give them to SELECT, but commits the rest of a batch whose statement can't be prepared.
 * The first of the two is prepared and never run. RETURNING itself needs it, too: what rqlite's parser does not know
 * (`RETURNING v AS after`) happens, and its rows vanish.
 */
const GIVES_ROWS = 'DELETE FROM stowage_operations WHERE 0 RETURNING id; '

const NOT_APPLIED: BatchResult = { applied: false, results: undefined }

export class BatchMember {
  readonly id: string | undefined
  /** Statements in JSON, with commas between. */
  readonly body: string
  /** How many there are, those that belong to the id among them. */
  readonly size: number
  private readonly guard: 'abort' | 'data'
  private readonly texts: readonly StatementText[]

  /** @throws `invalid-argument` for a text that is refused, and for what nodes would compute differently */
  constructor(statements: readonly Statement[], options: BatchOptions, at: number) {
    const { id, condition, guard = 'abort' } = options
    this.id = id
    this.guard = guard
    const own = statements.map(encodeStatement)
    this.texts = own.map(({ text }) => text)
    this.texts.forEach(assertSameOnAllNodes)
    const bodies = own.map(one =>
      statementJson(one, one.text.kind === 'read' || one.text.returning ? GIVES_ROWS : ''),
    )
    if (id !== undefined) {
      const begin = encodeStatement(beginOperation(id, condition, guard, at))
      assertSameOnAllNodes(begin.text)
      bodies.unshift(statementJson(begin))
      bodies.push(statementJson(encodeStatement(endOperation(id))))
    }
    this.body = bodies.join(',')
    this.size = bodies.length
  }

  /** What the answers to its statements say, all of which have run. */
  meaningOf(answers: readonly StatementAnswer[]): Meaning {
    if (this.id === undefined) return { applied: true, results: this.resultsOf(answers) }
    const [begin] = answers
    const end = answers.at(-1)
    if (!begin!.rows_affected) return 'ask'
    return end!.rows_affected ? { applied: true, results: this.resultsOf(answers.slice(1, -1)) } : NOT_APPLIED
  }

  /** What an error means that its statement number `index` made; a `StorageError` for the caller, or no error at all. */
  meaningOfError(index: number, said: string): Meaning | Error {
    if (this.id !== undefined && this.guard === 'abort' && index === 0) {
      if (/^UNIQUE constraint failed: stowage_operations\.id$/.test(said)) return 'ask'
      if (/^NOT NULL constraint failed: stowage_operations\.state$/.test(said)) return NOT_APPLIED
    }
    return statementError('batch', said)
  }

  private resultsOf(answers: readonly StatementAnswer[]): StatementResult[] {
    return answers.map((answer, index) => resultOf(this.texts[index]!, answer))
  }
}

function resultOf({ kind, returning }: StatementText, answer: StatementAnswer): StatementResult {
  // Of changes to the schema the counter is a left-over.
  if (kind === 'schema') return { changes: 0, rows: [] }
  if (kind === 'write' && !returning) return { changes: answer.rows_affected ?? 0, rows: [] }
  if (answer.columns === undefined) {
    throw failure(
      'internal',
      'batch',
      'the batch happened, but rqlite gave no rows for a statement that has some',
    )
  }
  const kinds = (answer.types ?? []).map(columnKind)
  const rows = decodeRows(answer, kinds, false)
  return { changes: kind === 'write' ? rows.length : 0, rows }
}
