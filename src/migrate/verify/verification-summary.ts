import type { ManifestCounts, VerifyStatus } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { StrayCounts } from './strays.ts'

/** What a verification found. Counts are of the whole migration, or of the range that was asked for. */
export interface VerificationSummary {
  readonly level: VerifyLevel
  /** Every object was copied and every status is `match`; nothing is on one side only. */
  readonly complete: boolean
  readonly objects: number
  readonly bytes: number
  /** Objects by status, strays included. */
  readonly statuses: Readonly<Record<VerifyStatus, number>>
  /** Objects that the manifest does not know. */
  readonly strays: StrayCounts
  /** Objects that were looked at now; the others had been verified at this level before. */
  readonly checked: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
}

/** From the worst to the best, as reports list them. */
export const VERIFY_STATUSES = [
  'differ',
  'missing-destination',
  'missing-source',
  'error',
  'unverified',
  'match',
] as const satisfies readonly VerifyStatus[]

/** Objects by status: those of the manifest, and the strays on the side where they are. */
export function statusesOf(counts: ManifestCounts, strays: StrayCounts): Record<VerifyStatus, number> {
  const statuses = {} as Record<VerifyStatus, number>
  for (const status of VERIFY_STATUSES) statuses[status] = counts.byStatus[status].objects
  statuses['missing-destination'] += strays.source
  statuses['missing-source'] += strays.destination
  return statuses
}

/** Whether the source has none of its objects any more: more often it can't be seen, as a folder that is not mounted, than it was emptied. */
export function isEmptied({ byState }: ManifestCounts): boolean {
  const { gone, planned, copied, failed, refused } = byState
  return gone.objects > 0 && planned.objects + copied.objects + failed.objects + refused.objects === 0
}

/** Whether all that was to be moved has arrived, and every status is `match`. */
export function isComplete(counts: ManifestCounts, strays: StrayCounts): boolean {
  const { planned, failed, refused } = counts.byState
  const open = planned.objects + failed.objects + refused.objects
  const statuses = statusesOf(counts, strays)
  return (
    open === 0 &&
    !isEmptied(counts) &&
    VERIFY_STATUSES.every(status => status === 'match' || statuses[status] === 0)
  )
}
