import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { BatchOptions, QueryOptions, Statement } from '../engine.ts'
import { failure } from './failures.ts'
import { statementText } from './statement-text.ts'

/** @throws `invalid-argument` for what is no batch, and for options that are unknown or no such thing */
export function assertBatch(statements: readonly Statement[], options: BatchOptions): void {
  assertFactoryOptions(
    'batch',
    options,
    {
      id: 'string',
      condition: 'array',
      guard: 'string',
      locks: 'array',
      durable: 'boolean',
      signal: 'object',
      lockWaitMs: 'number',
      timeoutMs: 'number',
    },
    'rqlite',
  )
  const refuse = (problem: string) => failure('invalid-argument', 'batch', problem)
  const { id, condition, guard } = options
  if (!Array.isArray(statements)) throw refuse('statements must be an array')
  if (id === '') throw refuse('id must not be empty')
  if (condition !== undefined && id === undefined) throw refuse('a condition needs an id')
  if (condition !== undefined && statementText(condition[0]).kind !== 'read')
    throw refuse('a condition must be a SELECT')
  if (guard !== undefined && guard !== 'abort' && guard !== 'data')
    throw refuse("guard must be 'abort' or 'data'")
}

/** @throws `invalid-argument` for options that are unknown or no such thing */
export function assertQueryOptions(options: QueryOptions): void {
  assertFactoryOptions(
    'query',
    options,
    { consistency: 'string', signal: 'object', timeoutMs: 'number' },
    'rqlite',
  )
  const { consistency } = options
  if (consistency !== undefined && !['stale', 'session', 'linearizable'].includes(consistency))
    throw failure('invalid-argument', 'query', "consistency must be 'stale', 'session' or 'linearizable'")
}
