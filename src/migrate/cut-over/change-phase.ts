import { ownerState } from '../../core/process-owner.ts'
import { HELD } from '../../sql/engine.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { CONTROL, OBJECTS, PROCESSES } from './cut-over-tables.ts'
import { CUT_OVER_PHASES, type CutOverPhase, rulesOf } from './phase.ts'
import { assertMayChange } from './phase-guards.ts'
import { holderLocks, type PhaseLease } from './phase-lease.ts'
import { pointRecords } from './point-records.ts'

/** Longest pause between two looks at the processes. */
const LOOK_MS = 500

/**
 * One phase forth or back. First all processes must hold the present phase, so that there are never more than two; then the phase is
 * changed in one batch; then all must hold the new one. A change that was interrupted half-way is ended by the same call or the next.
 */
export async function changePhase(
  set: CutOverSet,
  lease: PhaseLease,
  step: 1 | -1,
  signal: AbortSignal | undefined,
): Promise<CutOverPhase> {
  const operation = step === 1 ? 'advance' : 'back'
  await lease.renew()
  const { phase } = await set.control()
  const next = phase + step
  if (CUT_OVER_PHASES[next] === undefined)
    throw set.conflict(operation, `${rulesOf(phase).phase} is the ${step === 1 ? 'last' : 'first'} phase`)
  await allHold(set, lease, phase, signal)
  await assertMayChange(set, phase, next)
  await writePhase(set, operation, phase, next)
  await allHold(set, lease, next, signal)
  const { phase: reached, first } = rulesOf(next)
  if (reached === 'source-only' || reached === 'retired') await pointRecords(set, first, signal)
  return rulesOf(next).phase
}

async function writePhase(set: CutOverSet, operation: string, phase: number, next: number): Promise<void> {
  const id = `${set.newId()}:${operation}`
  const { name } = set
  const { applied } = await set.batch(
    [
      [
        // What was copied and verified says nothing any more of what is written to the source alone.
        `UPDATE ${CONTROL} SET phase = ?, changes = changes + 1${next === 0 ? ', backfilled_at = NULL, verification = NULL' : ''} WHERE name = ? AND ${HELD}`,
        BigInt(next),
        name,
        id,
      ],
      // What waited because a phase leaves one side alone is looked at again.
      [
        `UPDATE ${OBJECTS} SET due_at = ? WHERE name = ? AND (gone = 1 OR due_at IS NULL) AND (from_state = 'owed' OR to_state = 'owed') AND ${HELD}`,
        BigInt(set.now()),
        name,
        id,
      ],
    ],
    {
      id,
      condition: [
        `SELECT 1 FROM ${CONTROL} WHERE name = ? AND phase = ? AND NOT EXISTS (SELECT 1 FROM ${PROCESSES} WHERE name = ? AND phase <> ?)`,
        name,
        BigInt(phase),
        name,
        BigInt(phase),
      ],
      locks: set.locks('phase'),
    },
  )
  if (!applied)
    throw set.conflict(operation, 'somebody else changes the phase at the same time; look at the status')
}

/**
 * Resolves when every process holds `phase`. One that is silent for its lease's time, as seen from here, or whose process has ended, is
 * given up: its row goes, and with it all that it may still want to write down.
 */
export async function allHold(
  set: CutOverSet,
  lease: PhaseLease,
  phase: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const seen = new Map<string, { beat: bigint; at: number }>()
  for (;;) {
    signal?.throwIfAborted()
    await lease.settled()
    const rows = await set.query([
      `SELECT id, beat FROM ${PROCESSES} WHERE name = ? AND phase <> ?`,
      set.name,
      BigInt(phase),
    ])
    if (rows.length === 0) return
    for (const row of rows) {
      const [id, beat] = [String(row.id), row.beat as bigint]
      const known = seen.get(id)
      if (known?.beat !== beat) seen.set(id, { beat, at: set.monotonic() })
      const isSilent = known?.beat === beat && set.monotonic() - known.at >= set.settings.leaseMs
      if (isSilent || ownerState(id.split('/')[0]!) === 'ended')
        await set.write(
          [[`DELETE FROM ${PROCESSES} WHERE name = ? AND id = ? AND beat = ?`, set.name, id, beat]],
          { locks: [...set.locks('phase'), ...holderLocks(set, id)] },
        )
    }
    await set.wait(Math.min(LOOK_MS, set.settings.beatMs), signal)
  }
}
