/** How a row is stored. */
import type { Engine, Row, SqlValue } from '../../sql/engine.ts'
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

/**
 * A whole row as one value, for SELECT: libraries take longer over each value than SQLite takes to write all of them as JSON.
 * Integers are sizes and times, and stay below 2^53.
 */
export function wholeRow({ jsonArray }: Pick<Engine, 'jsonArray'>): string {
  return `CAST(${jsonArray}(${ALL.map(([, { name }]) => name).join(', ')}) AS TEXT) AS whole_row`
}

/** The rows of a SELECT of `wholeRow`. */
export function rowsFrom(selected: readonly Row[]): ManifestRow[] {
  const values: unknown[][] = JSON.parse(`[${selected.map(({ whole_row }) => whole_row).join()}]`)
  return values.map(fields => {
    const row: Record<string, unknown> = {}
    for (let at = 0; at < ALL.length; at++) if (fields[at] !== null) row[ALL[at]![0]] = fields[at]
    return row as unknown as ManifestRow
  })
}

/** A field's value for its column. Text is cut to what every engine keeps: a message may quote anything. */
export function storedValue(field: Field, value: unknown): SqlValue {
  if (value === null || value === undefined) return COLUMNS[field].initial ?? null
  if (COLUMNS[field].kind === 'integer') return BigInt(value as number)
  return field === 'errorMessage' ? String(value).replaceAll('\0', '\\0').toWellFormed() : String(value)
}
