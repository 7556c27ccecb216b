import { invalidArgument } from '../../core/errors.ts'
import {
  assertStatement,
  type BatchOptions,
  type Engine,
  type QueryOptions,
  type Statement,
} from '../engine.ts'
import type { Batch } from './run-batch.ts'
import { readStatementText } from './statement-text.ts'

const BATCH_OPTIONS: readonly string[] = [
  'id',
  'condition',
  'guard',
  'locks',
  'durable',
  'lockWaitMs',
  'signal',
  'timeoutMs',
] satisfies (keyof BatchOptions)[]

const QUERY_OPTIONS: readonly string[] = [
  'consistency',
  'signal',
  'timeoutMs',
] satisfies (keyof QueryOptions)[]

const CONSISTENCIES: readonly unknown[] = ['stale', 'session', 'linearizable']

/** The batch as it is to be run. @throws `invalid-argument` before anything happens */
export function checkBatch(
  statements: readonly Statement[],
  options: BatchOptions,
  engine: Pick<Engine, 'name' | 'textHoldsNul'>,
): Batch {
  assertKnown('batch', options, BATCH_OPTIONS)
  const { id, condition, guard = 'abort', locks, durable } = options
  const refuse = (problem: string) => invalidArgument('batch', engine.name, problem)
  if (!Array.isArray(statements)) throw refuse('statements must be an array of [sql, ...parameters]')
  for (const statement of statements) assertOne(statement, engine)
  if (id !== undefined && (typeof id !== 'string' || id === ''))
    throw refuse('id must be text, and not empty')
  if (guard !== 'abort' && guard !== 'data') throw refuse('guard must be abort or data')
  if (locks !== undefined && !(Array.isArray(locks) && locks.every(lock => typeof lock === 'string')))
    throw refuse('locks must be an array of names')
  if (durable !== undefined && typeof durable !== 'boolean') throw refuse('durable must be true or false')
  if (condition !== undefined) {
    if (id === undefined) throw refuse('a condition needs an id')
    assertOne(condition, engine)
    if (readStatementText(condition[0]).kind !== 'read') throw refuse('the condition must be a SELECT')
  }
  return { statements: [...statements], id, condition, guard }
}

/** @throws `invalid-argument` */
export function checkQueryOptions(operation: string, options: QueryOptions): void {
  assertKnown(operation, options, QUERY_OPTIONS)
  const { consistency } = options
  if (consistency !== undefined && !CONSISTENCIES.includes(consistency))
    throw invalidArgument(operation, 'sqlite', `consistency must be one of ${CONSISTENCIES.join(', ')}`)
}

function assertOne(statement: Statement, engine: Pick<Engine, 'name' | 'textHoldsNul'>): void {
  if (!Array.isArray(statement))
    throw invalidArgument('sql', engine.name, 'a statement is an array of [sql, ...parameters]')
  assertStatement(statement, engine)
}

function assertKnown(operation: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument(operation, 'sqlite', 'options must be an object')
  for (const name in options) {
    if (!known.includes(name))
      throw invalidArgument(operation, 'sqlite', `unknown option '${name}'; known are ${known.join(', ')}`)
  }
}
