/** What is written down of objects that are deleted: before, and when they are gone. */
import type { StorageError } from '../../core/errors.ts'
import { HELD, type Statement } from '../../sql/engine.ts'
import { type CutOverSet, chunked, placeholders } from './cut-over-set.ts'
import { OBJECTS, UPLOADS } from './cut-over-tables.ts'
import { CHUNK } from './object-rows.ts'
import { otherSide, type PhaseRules, type Side } from './phase.ts'
import type { Turn } from './phase-lease.ts'

/** Writes down that these objects are deleted, before they are. From here on no reader of either side sees them. */
export async function journalDelete(set: CutOverSet, turn: Turn, keys: readonly string[]): Promise<string> {
  const op = set.newId()
  const due = BigInt(set.now() + set.settings.leaseMs + set.settings.secondMs)
  const states = tombstoneStates(turn.rules)
  for (const [index, some] of chunked(keys, CHUNK).entries()) {
    const id = `${op}:gone${index}`
    const statements = some.map(
      (key): Statement => [
        `INSERT INTO ${OBJECTS} (name, key, gone, from_state, to_state, op, due_at, attempts) SELECT ?, ?, 1, '${states.from}', '${states.to}', ?, ?, 0 WHERE ${HELD} ON CONFLICT (name, key) DO UPDATE SET gone = 1, from_state = ${updated('from', states.from)}, to_state = ${updated('to', states.to)}, op = excluded.op, due_at = excluded.due_at, attempts = 0, error = NULL`,
        set.name,
        key,
        op,
        due,
        id,
      ],
    )
    const { applied } = await set.batch(statements, { id, condition: turn.fence, locks: turn.locks(...some) })
    if (!applied) throw turn.refused('delete', some[0]!)
  }
  return op
}

/** A side that this phase knows nothing of has nothing, where no row says that it may. */
function tombstoneStates({ phase, first }: PhaseRules): Record<Side, 'owed' | 'none'> {
  if (phase !== 'source-only') return { from: 'owed', to: 'owed' }
  return { from: 'owed', to: first === 'to' ? 'owed' : 'none' }
}

function updated(side: Side, state: 'owed' | 'none'): string {
  if (state === 'owed') return "'owed'"
  return `CASE WHEN ${OBJECTS}.${side}_state IN ('none', 'gone') THEN ${OBJECTS}.${side}_state ELSE 'owed' END`
}

export interface Deleted {
  readonly key: string
  readonly op: string
  readonly gone: readonly Side[]
  readonly dueAt: number | undefined
  readonly error?: StorageError | undefined
}

/** Writes down which sides are rid of deleted objects. */
export async function markDeleted(set: CutOverSet, deleted: readonly Deleted[]): Promise<void> {
  for (const some of chunked(deleted, CHUNK)) {
    const statements = some.map(
      ({ key, op, gone, dueAt, error }): Statement => [
        `UPDATE ${OBJECTS} SET ${gone.map(side => `${side}_state = 'gone', `).join('')}due_at = ?, attempts = ${error === undefined ? '0' : 'attempts + 1'}, error = ? WHERE name = ? AND key = ? AND op = ? AND gone = 1`,
        dueAt === undefined ? null : BigInt(dueAt),
        error?.message ?? null,
        set.name,
        key,
        op,
      ],
    )
    const keys = some.map(({ key }) => key)
    // Nobody goes on with what was on its way.
    statements.push([
      `DELETE FROM ${UPLOADS} WHERE name = ? AND key IN (${placeholders(keys)})`,
      set.name,
      ...keys,
    ])
    await set.write(statements, { locks: set.locks(...keys) })
  }
}

/** The first side refused for good to delete them: they are live again, and the other side is owed what it may have lost. */
export async function returnToLive(
  set: CutOverSet,
  first: Side,
  keys: readonly string[],
  op: string,
): Promise<void> {
  const due = BigInt(set.now())
  for (const some of chunked(keys, CHUNK))
    await set.write(
      some.map(key => [
        `UPDATE ${OBJECTS} SET gone = 0, ${first}_state = 'held', ${otherSide(first)}_state = CASE WHEN ${otherSide(first)}_state = 'none' THEN 'none' ELSE 'owed' END, due_at = ? WHERE name = ? AND key = ? AND op = ? AND gone = 1`,
        due,
        set.name,
        key,
        op,
      ]),
      { locks: set.locks(...some) },
    )
}
