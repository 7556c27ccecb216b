import { invalidArgument } from '../../core/errors.ts'
import {
  assertStatement,
  type BatchOptions,
  type JoinedBatchOptions,
  type QueryOptions,
  type Statement,
} from '../engine.ts'
import { readStatementText } from './statement-text.ts'

const BATCH = [
  'id',
  'condition',
  'guard',
  'locks',
  'durable',
  'lockWaitMs',
  'signal',
  'timeoutMs',
] satisfies (keyof BatchOptions)[]
const JOINED = ['id', 'condition', 'locks'] satisfies (keyof JoinedBatchOptions)[]
const QUERY = ['consistency', 'signal', 'timeoutMs'] satisfies (keyof QueryOptions)[]

const CONSISTENCIES: readonly unknown[] = ['stale', 'session', 'linearizable']

/** @throws `invalid-argument` */
export function assertBatchOptions(statements: readonly Statement[], options: BatchOptions): void {
  assertKnown('batch', options, BATCH)
  const { id, condition, guard = 'abort', locks = [], durable = false, lockWaitMs = 1 } = options
  if (!Array.isArray(statements)) throw refuse('statements must be an array of [sql, ...parameters]')
  for (const statement of statements) assertOne(statement)
  if (id !== undefined) assertId('batch', id)
  if (guard !== 'abort' && guard !== 'data') throw refuse('guard must be abort or data')
  if (!Array.isArray(locks) || !locks.every(lock => typeof lock === 'string'))
    throw refuse('locks must be an array of names')
  if (!(lockWaitMs >= 1 && lockWaitMs < 2 ** 31)) throw refuse('lockWaitMs must be milliseconds, 1 or more')
  if (typeof durable !== 'boolean') throw refuse('durable must be true or false')
  if (condition === undefined) return
  if (id === undefined) throw refuse('a condition needs an id')
  assertOne(condition)
  if (readStatementText(condition[0]).kind !== 'read') throw refuse('the condition must be a SELECT')
}

/** @throws `invalid-argument` */
export function assertJoinedOptions(statements: readonly Statement[], options: JoinedBatchOptions): void {
  assertKnown('batch', options, JOINED)
  assertId('batch', options.id)
  assertBatchOptions(statements, options)
}

/** @throws `invalid-argument` */
export function assertQueryOptions(operation: string, options: QueryOptions): void {
  assertKnown(operation, options, QUERY)
  if (!CONSISTENCIES.includes(options.consistency ?? 'session'))
    throw invalidArgument(operation, 'postgres', `consistency must be one of ${CONSISTENCIES.join(', ')}`)
}

/** @throws `invalid-argument` for a statement that does more than read */
export function assertReads(statement: Statement): void {
  assertOne(statement)
  if (readStatementText(statement[0]).kind !== 'read')
    throw invalidArgument('query', 'postgres', 'the statement must only read; give others to batch')
}

/** @throws `invalid-argument` */
export function assertId(operation: string, id: unknown): void {
  if (typeof id !== 'string' || id === '' || id.includes('\0'))
    throw invalidArgument(operation, 'postgres', 'id must be text, and not empty')
}

function assertOne(statement: Statement): void {
  if (!Array.isArray(statement))
    throw invalidArgument('sql', 'postgres', 'a statement is an array of [sql, ...parameters]')
  assertStatement(statement, { name: 'postgres', textHoldsNul: false })
}

function assertKnown(operation: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument(operation, 'postgres', 'options must be an object')
  for (const name in options) {
    if (!known.includes(name))
      throw invalidArgument(operation, 'postgres', `unknown option '${name}'; known are ${known.join(', ')}`)
  }
}

function refuse(problem: string) {
  return invalidArgument('batch', 'postgres', problem)
}
