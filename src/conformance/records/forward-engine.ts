import type { Engine } from '../../sql/engine.ts'

/**
 * The only list of an engine's methods: `engine` with some of them replaced. One that is added to the
 * contract and forgotten here is a compile error. `textHoldsNul` stays live: it may be known only once a file is open.
 */
export function forwardEngine(engine: Engine, changes: Partial<Engine>): Engine {
  const all: Engine = {
    get name() {
      return engine.name
    },
    get types() {
      return engine.types
    },
    get jsonArray() {
      return engine.jsonArray
    },
    get textHoldsNul() {
      return engine.textHoldsNul
    },
    batch: (statements, options) => engine.batch(statements, options),
    query: (statement, options) => engine.query(statement, options),
    outcome: (id, options) => engine.outcome(id, options),
    forget: before => engine.forget(before),
    join: transaction => engine.join(transaction),
    close: () => engine.close(),
  }
  return Object.defineProperties(all, Object.getOwnPropertyDescriptors(changes)) as Engine
}
