import type { CutOverSet } from './cut-over-set.ts'
import { DIFFERENCES, OBJECTS, PROCESSES } from './cut-over-tables.ts'
import { type CutOverPhase, rulesOf, type Side } from './phase.ts'
import { type CutOverVerification, storedVerification } from './verification.ts'

export interface CutOverStatus {
  readonly name: string
  readonly phase: CutOverPhase
  /** Processes and the phase that each holds. One that has ended without a word stands here until a change of the phase gives it up. */
  readonly processes: readonly { readonly id: string; readonly phase: CutOverPhase; readonly beats: number }[]
  /** Of objects that are written down: what was at the source before the backfill is not. */
  readonly objects: {
    /** Live ones that each side is known to have. */
    readonly held: Readonly<Record<Side, number>>
    /** Live ones that a side lacks and the other has. */
    readonly owed: Readonly<Record<Side, number>>
    readonly deleted: number
    /** Deleted ones that are not known to be gone from a side. */
    readonly undeleted: Readonly<Record<Side, number>>
  }
  /** Objects that the worker has tried to settle in vain. */
  readonly failing: number
  readonly differences: number
  /** When the last backfill ended without failures, since the last stay in `source-only`. */
  readonly backfilledAt: Date | undefined
  readonly verification: CutOverVerification | undefined
  readonly sourceDropped: boolean
}

export async function cutOverStatus(set: CutOverSet): Promise<CutOverStatus> {
  await set.ready()
  const { name } = set
  const control = await set.control()
  const [processes, states, differences] = await Promise.all([
    set.query([`SELECT id, phase, beat FROM ${PROCESSES} WHERE name = ? ORDER BY id`, name]),
    set.query([
      `SELECT gone, from_state, to_state, COUNT(*) AS count, COUNT(error) AS failing FROM ${OBJECTS} WHERE name = ? GROUP BY gone, from_state, to_state`,
      name,
    ]),
    set.query([`SELECT COUNT(*) AS count FROM ${DIFFERENCES} WHERE name = ?`, name]),
  ])
  const count = (test: (state: { gone: boolean; from: string; to: string }) => boolean, column = 'count') =>
    states
      .filter(row => test({ gone: row.gone === 1n, from: String(row.from_state), to: String(row.to_state) }))
      .reduce((sum, row) => sum + Number(row[column]), 0)
  return {
    name,
    phase: rulesOf(control.phase).phase,
    processes: processes.map(row => ({
      id: String(row.id),
      phase: rulesOf(Number(row.phase)).phase,
      beats: Number(row.beat),
    })),
    objects: {
      held: {
        from: count(({ gone, from }) => !gone && from === 'held'),
        to: count(({ gone, to }) => !gone && to === 'held'),
      },
      owed: {
        from: count(({ gone, from, to }) => !gone && from === 'owed' && to === 'held'),
        to: count(({ gone, from, to }) => !gone && to === 'owed' && from === 'held'),
      },
      deleted: count(({ gone }) => gone),
      undeleted: {
        from: count(({ gone, from }) => gone && from === 'owed'),
        to: count(({ gone, to }) => gone && to === 'owed'),
      },
    },
    failing: count(() => true, 'failing'),
    differences: Number(differences[0]!.count),
    backfilledAt: control.backfilledAt === undefined ? undefined : new Date(control.backfilledAt),
    verification: storedVerification(control),
    sourceDropped: control.dropped,
  }
}
