import type { StorageError } from '../../core/errors.ts'
import { HELD, type Row, type Statement } from '../../sql/engine.ts'
import { type CutOverSet, chunked, placeholders } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import { otherSide, type PhaseRules, SIDES, type Side } from './phase.ts'
import type { Turn } from './phase-lease.ts'

export type SideState = 'none' | 'owed' | 'held' | 'direct' | 'gone'

/** What is written down of one object. */
export interface ObjectRow {
  readonly key: string
  /** Deleted: never to be seen again on either side. */
  readonly gone: boolean
  readonly from: SideState
  readonly to: SideState
  readonly op: string
  readonly versions: Readonly<Record<Side, string | undefined>>
  readonly dueAt: number | undefined
  readonly attempts: number
}

const COLUMNS = 'key, gone, from_state, to_state, op, from_version, to_version, due_at, attempts'
/** Keys in one statement or batch. */
const CHUNK = 200

function rowFrom(row: Row): ObjectRow {
  const text = (value: unknown) => (value === null ? undefined : String(value))
  return {
    key: String(row.key),
    gone: row.gone === 1n,
    from: row.from_state as SideState,
    to: row.to_state as SideState,
    op: String(row.op),
    versions: { from: text(row.from_version), to: text(row.to_version) },
    dueAt: row.due_at === null ? undefined : Number(row.due_at),
    attempts: Number(row.attempts),
  }
}

export async function objectRow(set: CutOverSet, key: string): Promise<ObjectRow | undefined> {
  return (await objectRows(set, [key])).get(key)
}

export async function objectRows(set: CutOverSet, keys: readonly string[]): Promise<Map<string, ObjectRow>> {
  const rows = new Map<string, ObjectRow>()
  for (const some of chunked(keys, CHUNK))
    for (const row of await selectRows(set, [`key IN (${placeholders(some)})`, ...some]))
      rows.set(row.key, row)
  return rows
}

/** @param where a condition and what may follow it */
export async function selectRows(set: CutOverSet, [where, ...parameters]: Statement): Promise<ObjectRow[]> {
  const statement: Statement = [
    `SELECT ${COLUMNS} FROM ${OBJECTS} WHERE name = ? AND ${where}`,
    set.name,
    ...parameters,
  ]
  return (await set.query(statement)).map(rowFrom)
}

/**
 * Whether it is worth a request to look for the object on this side. What no row tells of was there before the cut-over, or written in
 * `source-only`: at the source, if anywhere.
 */
export function mayHold(row: ObjectRow | undefined, side: Side): boolean {
  if (row === undefined) return side === 'from'
  return !row.gone && (row[side] === 'held' || row[side] === 'owed' || row[side] === 'direct')
}

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
    await set.write(statements, { locks: set.locks(...some.map(({ key }) => key)) })
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

export function wasDeleted(set: CutOverSet, key: string): StorageError {
  return set.conflict(
    'upload',
    'this key was deleted, and a deleted key is never used again; write under a new one',
    key,
  )
}
