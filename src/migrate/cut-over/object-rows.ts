import type { Row, Statement } from '../../sql/engine.ts'
import { type CutOverSet, chunked, placeholders } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import type { Side } from './phase.ts'

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
export const CHUNK = 200

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
