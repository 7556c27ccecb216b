import type {
  Manifest,
  ManifestCounts,
  ManifestRow,
  MigrationPlan,
  VerifyStatus,
} from '../../../migrate/index.ts'
import { strayReason, strayStatus, strays } from '../../../migrate/verify/strays.ts'
import { isEmptied } from '../../../migrate/verify/verification-summary.ts'
import { humanSize, printable } from '../../human-format.ts'
import type { Output } from '../../output.ts'
import { table } from '../../table.ts'

const STATES = ['copied', 'planned', 'failed', 'refused', 'gone'] as const
/** Of each status; a report has them all. */
const FIRST = 10
const EMPTIED = 'the source has none of its objects any more; is it where it was, and can it be read?'

/** Objects and bytes by state. */
export function stateTable({ byState }: ManifestCounts): string {
  const rows = STATES.filter(state => state === 'copied' || byState[state].objects > 0).map(state => [
    state,
    byState[state].objects.toLocaleString('en'),
    humanSize(byState[state].bytes),
  ])
  return table(['', 'objects', 'bytes'], rows)
}

export function statusTable(statuses: Readonly<Record<VerifyStatus, number>>): string {
  const rows = Object.entries(statuses)
    .filter(([status, count]) => status === 'match' || count > 0)
    .reverse()
    .map(([status, count]) => [status, count.toLocaleString('en')])
  return table(['', 'objects'], rows)
}

/**
 * Says so where the source listed nothing at all: more often it was mistyped, or can't be seen, than it is empty.
 *
 * @param source its URL, as it was typed, and what keys have to begin with
 */
export async function noteEmptySource(
  out: Output,
  manifest: Manifest,
  { objects, leftOut }: MigrationPlan,
  { from, prefix = '' }: { readonly from: string; readonly prefix?: string | undefined },
): Promise<boolean> {
  if (objects + leftOut.objects > 0) return false
  const under = prefix === '' ? '' : ` that begin with ${printable(prefix)}`
  out.note(
    isEmptied(await manifest.counts())
      ? EMPTIED
      : `the source holds no objects${under}; is ${printable(from)} where they are?`,
  )
  return true
}

/** Names the first objects of each status that is no match, and says why. */
export async function noteProblems(
  out: Output,
  manifest: Manifest,
  statuses: Readonly<Record<VerifyStatus, number>>,
): Promise<void> {
  if (isEmptied(await manifest.counts())) out.note(EMPTIED)
  const left = new Map<VerifyStatus, number>()
  const told = async (status: VerifyStatus, line: () => string) => {
    const count = left.get(status) ?? 0
    left.set(status, count + 1)
    if (count < FIRST) out.note(line())
    return count + 1 >= Math.min(FIRST, statuses[status])
  }
  for (const status of Object.keys(statuses) as VerifyStatus[]) {
    if (status === 'match' || statuses[status] === 0) continue
    for await (const row of manifest.rows({
      statuses: [status],
      states: ['copied', 'planned', 'failed', 'refused'],
    }))
      if (await told(status, () => rowLine(row))) break
  }
  for await (const stray of strays(manifest)) {
    const status = strayStatus(stray)
    if (await told(status, () => `${status}: ${printable(stray.key)}: ${strayReason(stray)}`)) break
  }
  const open = Object.entries(statuses).some(([status, count]) => status !== 'match' && count > FIRST)
  if (open) out.note('stowage migrate report --jsonl report.jsonl lists them all')
}

function rowLine({ status, state, sourceKey, errorMessage, errorCode }: ManifestRow): string {
  const why = errorMessage ?? errorCode ?? (state === 'copied' ? '' : state)
  return `${status}: ${printable(sourceKey)}${why === '' ? '' : `: ${printable(why)}`}`
}
