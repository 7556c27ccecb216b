import type { CapabilityNeed } from './capability-needs.ts'
import type { HostNeed } from './conformance-context.ts'
import type { Scope } from './scope.ts'

/** One behaviour. Data, so that any test runner can run it. */
export interface ConformanceCase {
  /** Stable: `delete/missing-is-ok`. */
  readonly id: string
  /** The behaviour as a sentence in the present. */
  readonly title: string
  /** Numbers of the behaviours in the project's list that this case checks. */
  readonly covers: readonly number[]
  /**
   * Capabilities and parts of the context. Where the provider declares a capability missing, the kit checks
   * instead that asking for it throws `unsupported` and changes nothing.
   */
  readonly needs?: readonly (CapabilityNeed | HostNeed)[]
  run(scope: Scope): Promise<void>
}
