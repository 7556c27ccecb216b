import type { Engine } from '../../src/sql/engine.ts'

/** The engine, with what is asked of it counted. */
export function countCalls(inner: Engine) {
  const calls = { batches: 0, queries: 0 }
  const engine: Engine = {
    name: inner.name,
    types: inner.types,
    textHoldsNul: inner.textHoldsNul,
    batch(statements, options) {
      calls.batches++
      return inner.batch(statements, options)
    },
    query(statement, options) {
      calls.queries++
      return inner.query(statement, options)
    },
    outcome: (id, options) => inner.outcome(id, options),
    forget: before => inner.forget(before),
    join: transaction => inner.join(transaction),
    close: () => inner.close(),
  }
  return Object.assign(calls, { engine })
}
