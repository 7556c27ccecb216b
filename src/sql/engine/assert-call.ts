/** What every engine asks of its callers before anything happens. All throw `invalid-argument`, and show no value. */
import { invalidArgument } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import {
  askOperation,
  assertStatement,
  type BatchOptions,
  type Consistency,
  type Engine,
  type JoinedBatchOptions,
  type QueryOptions,
  type Statement,
} from '../engine.ts'
import type { StatementKind } from './scan-statement.ts'

/** Whose limits hold for the values, and who reads its statements. */
export interface Asked extends Pick<Engine, 'name' | 'textHoldsNul'> {
  /** @throws `invalid-argument` for a text that the engine refuses */
  kindOf(sql: string): StatementKind
}

/** Longest wait that timers, and PostgreSQL's settings, can hold. */
const MAX_MS = 2 ** 31

const CONSISTENCIES = Object.keys({
  stale: true,
  session: true,
  linearizable: true,
} satisfies Record<Consistency, true>)

/** For statements, id, condition and the other options of a batch; signal and time limit are looked at where they begin. */
export function assertBatch(statements: readonly Statement[], options: BatchOptions, asked: Asked): void {
  assertFactoryOptions<BatchOptions>(
    'batch',
    options,
    {
      id: 'string',
      condition: 'array',
      guard: 'string',
      locks: 'array',
      durable: 'boolean',
      lockWaitMs: 'number',
      signal: 'object',
      timeoutMs: 'number',
    },
    asked.name,
  )
  const { id, condition, guard = 'abort', locks = [], lockWaitMs = 1 } = options
  const refuse = (problem: string) => invalidArgument('batch', asked.name, problem)
  if (!Array.isArray(statements)) throw refuse('statements must be an array of [sql, ...parameters]')
  for (const statement of statements) assertStatement(statement, asked)
  if (id !== undefined) assertId('batch', id, asked)
  if (guard !== 'abort' && guard !== 'data') throw refuse("guard must be 'abort' or 'data'")
  if (!locks.every(lock => typeof lock === 'string')) throw refuse('locks must be an array of names')
  if (!(lockWaitMs >= 1 && lockWaitMs < MAX_MS)) throw refuse('lockWaitMs must be milliseconds, 1 or more')
  if (condition === undefined) return
  if (id === undefined) throw refuse('a condition needs an id')
  assertStatement(condition, asked)
  if (asked.kindOf(condition[0]) !== 'read') throw refuse('the condition must be a SELECT')
}

export function assertJoinedBatch(
  statements: readonly Statement[],
  options: JoinedBatchOptions,
  asked: Asked,
): void {
  assertFactoryOptions<JoinedBatchOptions>(
    'batch',
    options,
    { id: 'string', condition: 'array', locks: 'array' },
    asked.name,
  )
  assertId('batch', options.id, asked)
  assertBatch(statements, options, asked)
}

export function assertQueryOptions(
  operation: string,
  options: QueryOptions,
  { name }: Pick<Asked, 'name'>,
): void {
  assertFactoryOptions<QueryOptions>(
    operation,
    options,
    { consistency: 'string', signal: 'object', timeoutMs: 'number' },
    name,
  )
  if (!CONSISTENCIES.includes(options.consistency ?? 'session'))
    throw invalidArgument(operation, name, `consistency must be one of ${CONSISTENCIES.join(', ')}`)
}

export function assertReads(statement: Statement, asked: Asked): void {
  assertStatement(statement, asked)
  if (asked.kindOf(statement[0]) !== 'read')
    throw invalidArgument('query', asked.name, 'the statement must only read; give others to batch')
}

/** An id is stored as it is: with a text that the engine changes, nobody would find it again. */
export function assertId(operation: string, id: unknown, asked: Pick<Asked, 'name' | 'textHoldsNul'>): void {
  if (typeof id !== 'string' || id === '')
    throw invalidArgument(operation, asked.name, 'id must be text, and not empty')
  assertStatement(askOperation(id), asked)
}

/** A statement that forgets the ids of operations from before a time. */
export function forgetting(before: number, { name }: Pick<Asked, 'name'>): Statement {
  if (!Number.isFinite(before))
    throw invalidArgument('forget', name, 'before must be milliseconds since 1970')
  return ['DELETE FROM stowage_operations WHERE at < ? AND state <> 1', BigInt(Math.ceil(before))]
}
