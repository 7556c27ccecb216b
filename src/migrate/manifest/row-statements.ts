/** The statements that write many rows at once. */
import { StorageError } from '../../core/errors.ts'
import type { ColumnTypes, SqlValue, Statement } from '../../sql/engine.ts'
import type { RowChange } from '../manifest.ts'
import { OBJECTS } from './manifest-tables.ts'
import { COLUMNS, FIELDS, type Field, storedValue } from './row-columns.ts'

/**
 * Rows of one statement. A few sizes and no others, so that engines know the texts and keep them prepared; with the most
 * columns that a row has, the largest stays below the 32,766 parameters of SQLite.
 */
const SIZES = [256, 32, 4, 1]

/** What a new row must be given. */
const NEEDED = ['destinationKey', 'state', 'size'] as const

/** @param changes each of another row */
export function rowStatements(
  migration: bigint,
  types: ColumnTypes,
  changes: readonly RowChange[],
): Statement[] {
  const alike = new Map<string, { fields: Field[]; guarded: boolean; changes: RowChange[] }>()
  for (const change of changes) {
    const fields = FIELDS.filter(field => change[field as keyof RowChange] !== undefined)
    const guarded = change.ifRevision !== undefined
    const form = `${guarded} ${fields.join()}`
    const found = alike.get(form)
    if (found === undefined) alike.set(form, { fields, guarded, changes: [change] })
    else found.changes.push(change)
  }
  const statements: Statement[] = []
  for (const { fields, guarded, changes } of alike.values()) {
    const adds = NEEDED.every(field => fields.includes(field))
    for (const rows of inSizes(changes))
      statements.push(
        adds ? upsert(migration, fields, guarded, rows) : update(migration, types, fields, guarded, rows),
      )
  }
  return statements
}

function* inSizes(changes: readonly RowChange[]): Generator<readonly RowChange[]> {
  let at = 0
  for (const size of SIZES) for (; changes.length - at >= size; at += size) yield changes.slice(at, at + size)
}

function upsert(
  migration: bigint,
  given: readonly Field[],
  guarded: boolean,
  rows: readonly RowChange[],
): Statement {
  const initial = FIELDS.filter(field => COLUMNS[field].initial !== undefined && !given.includes(field))
  const fields: Field[] = [...given, ...initial]
  const names = fields.map(field => COLUMNS[field].name)
  const set = given
    .filter(field => field !== 'sourceKey')
    .map(field => `${COLUMNS[field].name} = excluded.${COLUMNS[field].name}`)
  // The revision that a row gets is part of what is inserted, and tells the one it must have.
  const revision = guarded
    ? `revision = excluded.revision WHERE ${OBJECTS}.revision = excluded.revision - 1`
    : `revision = ${OBJECTS}.revision + 1`
  const parameters: SqlValue[] = []
  for (const row of rows) {
    parameters.push(migration)
    for (const field of fields) parameters.push(storedValue(field, row[field as keyof RowChange]))
    parameters.push(BigInt((row.ifRevision ?? 0) + 1))
  }
  return [
    `INSERT INTO ${OBJECTS} (migration, ${names.join(', ')}, revision) VALUES ${tuples(fields.length + 2, rows.length)} ON CONFLICT (migration, source_key) DO UPDATE SET ${[...set, revision].join(', ')}`,
    ...parameters,
  ]
}

function update(
  migration: bigint,
  types: ColumnTypes,
  fields: readonly Field[],
  guarded: boolean,
  rows: readonly RowChange[],
): Statement {
  const columns = fields.map(field => COLUMNS[field])
  if (guarded) columns.push(COLUMNS.revision)
  // PostgreSQL takes a parameter without a type for text; the first row decides for all.
  const first = columns.map(({ kind }) => (kind === 'integer' ? `CAST(? AS ${types.integer})` : '?'))
  const more = rows.length > 1 ? `, ${tuples(columns.length, rows.length - 1)}` : ''
  const set = columns
    .filter(({ name }) => name !== 'source_key' && name !== 'revision')
    .map(({ name }) => `${name} = v.${name}`)
  const parameters: SqlValue[] = []
  for (const row of rows) {
    for (const field of fields) parameters.push(storedValue(field, row[field as keyof RowChange]))
    if (guarded) parameters.push(BigInt(row.ifRevision!))
  }
  return [
    `WITH v (${columns.map(({ name }) => name).join(', ')}) AS (VALUES (${first.join(', ')})${more}) UPDATE ${OBJECTS} AS o SET ${[...set, 'revision = o.revision + 1'].join(', ')} FROM v WHERE o.migration = ? AND o.source_key = v.source_key${guarded ? ' AND o.revision = v.revision' : ''}`,
    ...parameters,
    migration,
  ]
}

function tuples(columns: number, rows: number): string {
  const tuple = `(${Array(columns).fill('?').join(', ')})`
  return Array(rows).fill(tuple).join(', ')
}

/** @throws `invalid-argument` for a field that there is not, and for a key that is none */
export function assertChange(change: RowChange): void {
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `manifest: ${problem}`, { operation: 'migrate' })
  if (typeof change?.sourceKey !== 'string' || change.sourceKey === '')
    throw refuse('a change names the sourceKey of its row')
  for (const name in change) {
    if (name === 'ifRevision' || Object.hasOwn(COLUMNS, name)) continue
    throw refuse(`a row has no field '${name}' that can be changed`)
  }
}
