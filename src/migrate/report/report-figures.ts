import type { Manifest, ManifestCounts, VerifyStatus } from '../manifest.ts'
import { type StrayCounts, strayCounts } from '../verify/strays.ts'
import { isComplete, statusesOf, VERIFY_STATUSES } from '../verify/verification-summary.ts'
import { type ReportEntry, reportEntries } from './report-entry.ts'

/** Upper ends of the classes of sizes, in bytes; above the last is one more. */
export const SIZE_CLASSES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const

export interface SizeClass {
  /** Objects with the status `match`, and all others. */
  match: number
  other: number
}

/** What a page about a migration shows, gathered in one pass over its rows; as large as what is listed. */
export interface ReportFigures {
  readonly complete: boolean
  readonly counts: ManifestCounts
  readonly strays: StrayCounts
  readonly statuses: Readonly<Record<VerifyStatus, number>>
  readonly bytes: Readonly<Record<VerifyStatus, number>>
  readonly sizes: readonly SizeClass[]
  /** The first of each status but `match`. */
  readonly first: Readonly<Record<VerifyStatus, readonly ReportEntry[]>>
}

export async function reportFigures(manifest: Manifest, most: number): Promise<ReportFigures> {
  const bytes = {} as Record<VerifyStatus, number>
  const first = {} as Record<VerifyStatus, ReportEntry[]>
  for (const status of VERIFY_STATUSES) {
    bytes[status] = 0
    first[status] = []
  }
  const sizes = Array.from({ length: SIZE_CLASSES.length + 1 }, () => ({ match: 0, other: 0 }))
  for await (const entry of reportEntries(manifest)) {
    const { status, size } = entry
    bytes[status] += size
    const at = SIZE_CLASSES.findIndex(end => size < end)
    sizes[at < 0 ? SIZE_CLASSES.length : at]![status === 'match' ? 'match' : 'other']++
    if (status !== 'match' && first[status].length < most) first[status].push(entry)
  }
  const counts = await manifest.counts()
  const strays = await strayCounts(manifest)
  return {
    complete: isComplete(counts, strays),
    counts,
    strays,
    statuses: statusesOf(counts, strays),
    bytes,
    sizes,
    first,
  }
}
