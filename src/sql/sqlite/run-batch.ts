import {
  type BatchOptions,
  type BatchResult,
  beginOperation,
  endOperation,
  type Statement,
  type StatementResult,
} from '../engine.ts'
import type { Session } from './session.ts'

/** A batch as it waits to be run. */
export interface Batch {
  readonly statements: readonly Statement[]
  readonly id: string | undefined
  readonly condition: Statement | undefined
  readonly guard: NonNullable<BatchOptions['guard']>
}

export function batchOf(
  statements: readonly Statement[],
  { id, condition, guard = 'abort' }: BatchOptions,
): Batch {
  return { statements: [...statements], id, condition, guard }
}

/** Undoes what the batch did so far: its condition did not hold, or its id is taken. The answer is no error. */
export class Withdrawn {
  readonly result: BatchResult
  constructor(applied: boolean) {
    this.result = { applied, results: undefined }
  }
}

/**
 * Runs the statements of one batch in the transaction that is open. @throws what a statement throws, or `Withdrawn`:
 * then whoever opened the transaction rolls back to where the batch began
 */
export function runBatch(session: Session, batch: Batch, at: number): BatchResult {
  const { statements, id, condition, guard } = batch
  if (id === undefined) return { applied: true, results: runAll(session, statements) }
  session.ensureOperations()
  const [insert, ...parameters] = beginOperation(id, condition, 'data', at)
  // SQLite tells within the transaction whether the condition held, so that no batch must fail to be stopped.
  const state = session.run([`${insert} RETURNING state`, ...parameters]).rows[0]?.state
  if (guard === 'abort' && state !== 1n)
    throw new Withdrawn(state === undefined && session.operationState(id) === 2n)
  // Under `data` the statements run even so, as they do on rqlite: one that lacks HELD must show here too.
  const results = runAll(session, statements)
  if (state === undefined) return { applied: session.operationState(id) === 2n, results: undefined }
  const applied = session.run(endOperation(id)).changes === 1
  return { applied, results: applied ? results : undefined }
}

function runAll(session: Session, statements: readonly Statement[]): StatementResult[] {
  return statements.map(statement => session.run(statement))
}
