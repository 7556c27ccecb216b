import { mapBounded } from '../../core/batches.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import { owedOf } from './backfill.ts'
import { compareSides, infoOrNone } from './compare-sides.ts'
import { type CutOverSet, isAbsent } from './cut-over-set.ts'
import { type ObjectRow, objectRow } from './object-rows.ts'
import { SIDES } from './phase.ts'
import type { PhaseLease } from './phase-lease.ts'
import { removeFrom } from './remove-both.ts'
import { owe } from './supply-one.ts'
import type { VerificationProblem } from './verification.ts'

/**
 * `swept`: deleted, and a side still had it, which has it no more. `stranger`: at the destination, and none of ours. `none`: nowhere, and
 * rightly so.
 */
export type Judgement = 'match' | 'swept' | 'stranger' | 'none' | Omit<VerificationProblem, 'key'>

const MOST_TURNS = 5

/** One object by itself, between two looks at its row that say the same. What a side lacks is written down as owed. */
export async function judgeObject(
  set: CutOverSet,
  lease: PhaseLease,
  key: string,
  level: VerifyLevel,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  for (let turn = 1; ; turn++) {
    const before = await objectRow(set, key)
    try {
      const judgement = before?.gone
        ? await sweep(set, before, signal)
        : await judge(set, key, before, level, signal)
      const after = await objectRow(set, key)
      if (isSameRow(before, after) || turn === MOST_TURNS) {
        await writeOwed(set, lease, key, after, judgement)
        return judgement
      }
    } catch (error) {
      if (isAbsent(error) && turn < MOST_TURNS) continue
      signal?.throwIfAborted()
      return { status: 'error', detail: set.error(error, 'verify', key).message }
    }
  }
}

function isSameRow(a: ObjectRow | undefined, b: ObjectRow | undefined): boolean {
  return a?.op === b?.op && a?.gone === b?.gone && a?.from === b?.from && a?.to === b?.to
}

async function judge(
  set: CutOverSet,
  key: string,
  row: ObjectRow | undefined,
  level: VerifyLevel,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  const found = await compareSides(set, key, level, signal)
  if (found === undefined) return 'match'
  if (found === 'missing-source')
    return row === undefined ? 'stranger' : { status: found, detail: 'the source does not have it' }
  if (found === 'missing-destination') return { status: found, detail: 'the destination does not have it' }
  if (found !== 'missing-both') return { status: 'differ', detail: found.detail }
  const wasThere = row?.from === 'held' || row?.to === 'held'
  return wasThere ? { status: 'missing-destination', detail: 'neither side has it any more' } : 'none'
}

async function sweep(set: CutOverSet, row: ObjectRow, signal: AbortSignal | undefined): Promise<Judgement> {
  const { key } = row
  const options = signal === undefined ? {} : { signal }
  const sides = async () => {
    const infos = await mapBounded(SIDES, 2, side => infoOrNone(set.side(side), key, options))
    return SIDES.filter((_, index) => infos[index] !== undefined)
  }
  const left = await sides()
  if (left.length === 0) return 'none'
  for (const side of left) await removeFrom(set, side, [key], new Map(), signal)
  const still = await sides()
  return still.length === 0
    ? 'swept'
    : { status: 'error', detail: `deleted, and still there: ${still.join(', ')}` }
}

async function writeOwed(
  set: CutOverSet,
  lease: PhaseLease,
  key: string,
  row: ObjectRow | undefined,
  judgement: Judgement,
): Promise<void> {
  if (typeof judgement !== 'object' || row?.gone) return
  if (judgement.status === 'missing-destination') {
    const turn = await lease.begin('verify', true)
    try {
      if (row === undefined || row.to === 'none') await owedOf(set, turn, [key])
      else if (row.from === 'held') await owe(set, row, 'to')
    } finally {
      turn.end()
    }
  }
  if (judgement.status === 'missing-source' && row?.to === 'held') await owe(set, row, 'from')
}
