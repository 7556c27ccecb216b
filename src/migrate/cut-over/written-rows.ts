/** What is written down of objects that are put: before, and when they are there. */
import type { StorageError } from '../../core/errors.ts'
import { HELD, type Statement } from '../../sql/engine.ts'
import { type CutOverSet, chunked, placeholders } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import { CHUNK, type ObjectRow, objectRow, objectRows } from './object-rows.ts'
import { SIDES, type Side } from './phase.ts'
import type { Turn } from './phase-lease.ts'

/** Writes down that `key` will be written, before it is: so nothing that is half done is unknown. Returns the id of this write. */
export async function journalWrite(
  set: CutOverSet,
  turn: Turn,
  key: string,
  { isMutable = false }: { isMutable?: boolean } = {},
): Promise<{ op: string; before: ObjectRow | undefined }> {
  const before = isMutable ? await objectRow(set, key) : undefined
  const op = set.newId()
  const id = `${op}:owe`
  // Until then this call sees to it itself.
  const due = BigInt(set.now() + set.settings.leaseMs + set.settings.secondMs)
  const { applied, results } = await set.batch(
    [
      [
        `INSERT INTO ${OBJECTS} (name, key, gone, from_state, to_state, op, due_at, attempts) SELECT ?, ?, 0, 'owed', 'owed', ?, ?, 0 WHERE ${HELD} ON CONFLICT (name, key) DO UPDATE SET gone = 0, from_state = 'owed', to_state = 'owed', op = excluded.op, due_at = excluded.due_at, attempts = 0, error = NULL, from_version = NULL, to_version = NULL${isMutable ? '' : ` WHERE ${OBJECTS}.gone = 0`}`,
        set.name,
        key,
        op,
        due,
        id,
      ],
    ],
    { id, condition: turn.fence, locks: turn.locks(key) },
  )
  if (!applied) throw turn.refused('upload', key)
  const changed = results === undefined ? (await objectRow(set, key))?.op === op : results[0]!.changes === 1
  if (!changed) throw wasDeleted(set, key)
  return { op, before }
}

export interface Written {
  readonly key: string
  readonly op: string
  /** Sides that have it now, with the version where the store keeps several. */
  readonly held: Partial<Record<Side, { readonly versionId?: string | undefined }>>
  /** When the worker looks at it; absent: never, there is nothing owed. */
  readonly dueAt?: number | undefined
  /** Why a side is owed. */
  readonly error?: StorageError | undefined
}

/**
 * Writes down where objects are now. Gives the keys whose row is another one by now, or a tombstone: what was put there must not be believed
 * in. @throws `unavailable` where this process has been given up meanwhile
 */
export async function markWritten(
  set: CutOverSet,
  turn: Turn,
  written: readonly Written[],
): Promise<string[]> {
  const refused: string[] = []
  for (const some of chunked(written, CHUNK / 2)) {
    const id = `${set.newId()}:held`
    const statements = some.map(({ key, op, held, dueAt, error }): Statement => {
      const sets = SIDES.filter(side => held[side] !== undefined)
      const columns = {
        name: set.name,
        key,
        gone: 0n,
        ...Object.fromEntries(
          SIDES.map(side => [`${side}_state`, held[side] === undefined ? 'owed' : 'held']),
        ),
        ...Object.fromEntries(SIDES.map(side => [`${side}_version`, held[side]?.versionId])),
        op,
        due_at: dueAt === undefined ? undefined : BigInt(dueAt),
        attempts: error === undefined ? 0n : 1n,
        error: error?.message,
      }
      const values = Object.values(columns)
      const changes = [...sets.flatMap(side => [`${side}_state`, `${side}_version`]), 'due_at', 'error']
      return [
        // The row of a write that took very long may have been given up: it was never deleted, or it would be a tombstone.
        `INSERT INTO ${OBJECTS} (${Object.keys(columns).join(', ')}) SELECT ${values.map(value => (value === undefined ? 'NULL' : '?')).join(', ')} WHERE ${HELD} ON CONFLICT (name, key) DO UPDATE SET ${changes.map(column => `${column} = excluded.${column}`).join(', ')}, attempts = ${error === undefined ? '0' : `${OBJECTS}.attempts + 1`} WHERE ${OBJECTS}.op = excluded.op AND ${OBJECTS}.gone = 0`,
        ...values.filter(value => value !== undefined),
        id,
      ]
    })
    const keys = some.map(({ key }) => key)
    const { applied, results } = await set.batch(statements, {
      id,
      condition: turn.fence,
      locks: turn.locks(...keys),
    })
    const changed = results?.map(result => result.changes === 1) ?? (await stillLive(set, some))
    const left = keys.filter((_, index) => !applied || !changed[index])
    if (left.length > 0) await sweepAgain(set, left)
    if (!applied) throw turn.refused('upload', keys[0]!)
    refused.push(...left)
  }
  return refused
}

/** Where something was put under deleted keys, perhaps after their last sweep. */
async function sweepAgain(set: CutOverSet, keys: readonly string[]): Promise<void> {
  await set.write([
    [
      `UPDATE ${OBJECTS} SET due_at = ? WHERE name = ? AND gone = 1 AND key IN (${placeholders(keys)})`,
      BigInt(set.now()),
      set.name,
      ...keys,
    ],
  ])
}

async function stillLive(set: CutOverSet, written: readonly Written[]): Promise<boolean[]> {
  const rows = await objectRows(
    set,
    written.map(({ key }) => key),
  )
  return written.map(({ key, op }) => rows.get(key)?.op === op && !rows.get(key)!.gone)
}

export function wasDeleted(set: CutOverSet, key: string): StorageError {
  return set.conflict(
    'upload',
    'this key was deleted, and a deleted key is never used again; write under a new one',
    key,
  )
}
