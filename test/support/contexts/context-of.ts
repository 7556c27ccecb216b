import type { ConformanceContext } from '../../../src/conformance/index.ts'

/** What the kit needs for one store, and what has to run around it. */
export interface StoreContext {
  readonly context: ConformanceContext
  before?(): Promise<void>
  after?(): Promise<void>
}
