import { carry } from './carry.ts'
import { carryInParts, goesInParts, type PartsRequest } from './carry-in-parts.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import { type ObjectRow, objectRow } from './object-rows.ts'
import { otherSide, type Side } from './phase.ts'
import type { Turn } from './phase-lease.ts'
import { removeFrom } from './remove-both.ts'
import { markWritten } from './written-rows.ts'

/**
 * Copies one object across and writes it down. Where it was deleted meanwhile, the row says so in that very batch, and the copy is taken
 * away again; the tombstone is swept once more later, also where this process ends before it has done so.
 */
export function supplyOne(set: CutOverSet, turn: Turn, given: PartsRequest): Promise<'copied' | 'deleted'> {
  const id = [given.source, given.op, given.key].join(' ')
  const running =
    set.supplying.get(id) ?? bringAcross(set, turn, given).finally(() => set.supplying.delete(id))
  set.supplying.set(id, running)
  return running
}

async function bringAcross(set: CutOverSet, turn: Turn, given: PartsRequest): Promise<'copied' | 'deleted'> {
  const { key, op, source, signal } = given
  const target = otherSide(source)
  turn.assertHeld('settle')
  const copy = await carry(set.side(source), set.side(target), key, {
    ...(signal && { signal }),
    otherWay: (info, attributes) =>
      goesInParts(set, source, info) ? () => carryInParts(set, given, info, attributes) : undefined,
  }).catch(async error => {
    const row = await objectRow(set, key)
    const isOver = row !== undefined && (row.op !== op || row.gone || row[target] === 'held')
    if (isOver) return undefined
    throw error
  })
  if (copy === undefined) return 'deleted'
  const held = {
    [source]: { versionId: copy.source.versionId },
    [target]: { versionId: copy.info.versionId },
  }
  const [refused] = await markWritten(set, turn, [{ key, op, held }])
  if (refused === undefined) return 'copied'
  const row = await objectRow(set, key)
  if (row?.gone) await removeFrom(set, target, [key], new Map(), signal)
  // Written over meanwhile, as only markers are: what is there may be the old bytes.
  else if (row !== undefined) await owe(set, row, target)
  return 'deleted'
}

/** Writes down that a side lacks what the other has. */
export async function owe(
  set: CutOverSet,
  { key, op }: Pick<ObjectRow, 'key' | 'op'>,
  side: Side,
): Promise<void> {
  await set.write([
    [
      `UPDATE ${OBJECTS} SET ${side}_state = 'owed', due_at = ? WHERE name = ? AND key = ? AND op = ? AND gone = 0 AND ${otherSide(side)}_state = 'held'`,
      BigInt(set.now()),
      set.name,
      key,
      op,
    ],
  ])
}
