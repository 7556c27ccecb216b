import type { VerifyStatus } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { Control } from './cut-over-set.ts'
import type { CutOverPhase } from './phase.ts'

/** Both sides held against each other, and against what is written down of each object. */
export interface CutOverVerification {
  readonly level: VerifyLevel
  readonly phase: CutOverPhase
  /** The destination has every live object, as the source has it. */
  readonly matched: boolean
  /** Live objects that were looked at. */
  readonly checked: number
  readonly statuses: Readonly<Record<Exclude<VerifyStatus, 'unverified'>, number>>
  /** Deleted objects that one side still had: they have been deleted again. */
  readonly swept: number
  /** Objects at the destination that are none of this cut-over's. */
  readonly strangers: number
  /** The first hundred that do not match. */
  readonly problems: readonly VerificationProblem[]
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
}

export interface VerificationProblem {
  readonly key: string
  readonly status: Exclude<VerifyStatus, 'unverified' | 'match'>
  readonly detail: string
}

/** With the count of changes of the phase, which tells whether the cut-over has moved since. */
export type StoredVerification = CutOverVerification & { readonly changes: number }

export function storedVerification({ verification }: Control): StoredVerification | undefined {
  return verification === undefined ? undefined : (JSON.parse(verification) as StoredVerification)
}
