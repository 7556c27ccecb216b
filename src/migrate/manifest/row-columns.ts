/** How a row is stored. */
import type { Row, SqlValue } from '../../sql/engine.ts'
import type { ManifestRow } from '../manifest.ts'

export type Field = keyof ManifestRow

type Kind = 'text' | 'integer'

interface Column {
  readonly name: string
  readonly kind: Kind
  /** What a row has that is added without it; absent columns may be NULL. */
  readonly initial?: SqlValue
}

/** By field, in the order of the table. */
export const COLUMNS: Readonly<Record<Field, Column>> = {
  sourceKey: { name: 'source_key', kind: 'text' },
  destinationKey: { name: 'destination_key', kind: 'text' },
  state: { name: 'state', kind: 'text' },
  size: { name: 'size', kind: 'integer' },
  sourceEtag: { name: 'source_etag', kind: 'text' },
  sourceModified: { name: 'source_modified', kind: 'integer' },
  sourceChecksum: { name: 'source_checksum', kind: 'text' },
  destinationChecksum: { name: 'destination_checksum', kind: 'text' },
  destinationSize: { name: 'destination_size', kind: 'integer' },
  destinationEtag: { name: 'destination_etag', kind: 'text' },
  destinationModified: { name: 'destination_modified', kind: 'integer' },
  attributes: { name: 'attributes', kind: 'text' },
  attempts: { name: 'attempts', kind: 'integer', initial: 0n },
  errorCode: { name: 'error_code', kind: 'text' },
  errorMessage: { name: 'error_message', kind: 'text' },
  status: { name: 'status', kind: 'text', initial: 'unverified' },
  level: { name: 'level', kind: 'text' },
  progress: { name: 'progress', kind: 'text' },
  occupant: { name: 'occupant', kind: 'text' },
  place: { name: 'place', kind: 'text' },
  revision: { name: 'revision', kind: 'integer' },
}

/** All that a change can name. */
export const FIELDS = (Object.keys(COLUMNS) as Field[]).filter(field => field !== 'revision')

const ALL = Object.entries(COLUMNS) as [Field, Column][]

/** For SELECT. */
export const COLUMN_LIST = ALL.map(([, { name }]) => name).join(', ')

export function rowFrom(stored: Row): ManifestRow {
  const row: Record<string, unknown> = {}
  for (const [field, { name }] of ALL) {
    const value = stored[name]
    if (value !== null) row[field] = typeof value === 'bigint' ? Number(value) : value
  }
  return row as unknown as ManifestRow
}

/** A field's value for its column. Text is cut to what every engine keeps: a message may quote anything. */
export function storedValue(field: Field, value: unknown): SqlValue {
  if (value === null || value === undefined) return COLUMNS[field].initial ?? null
  if (COLUMNS[field].kind === 'integer') return BigInt(value as number)
  return field === 'errorMessage' ? String(value).replaceAll('\0', '\\0').toWellFormed() : String(value)
}
