/** The JSON of an answer. Fields that are zero or empty are left out. */
import type { ChangeResult, RowsResult } from './connection.ts'
import { jsonArray, jsonCell, jsonObject, jsonString } from './json-answer.ts'
import type { Result } from './run-statements.ts'

export interface ResultForm {
  associative: boolean
  blobsAsArrays: boolean
  timings: boolean
  /** `/db/query` tells its errors as empty rows. */
  isQuery: boolean
}

/** No clock is read: any duration will do. */
const SOME_SECONDS = '0.000076173'

export function resultJson(result: Result, form: ResultForm): string {
  const time = form.timings ? SOME_SECONDS : undefined
  if (result.kind === 'changes') return changesJson(result.changes, form.associative, time)
  if (result.kind === 'rows')
    return form.associative ? associativeJson(result.rows, form, time) : rowsJson(result.rows, form, time)
  const error = jsonString(result.message)
  const asRows = form.associative && (form.isQuery || result.from === 'query')
  return jsonObject([
    ['rows', asRows ? '[]' : undefined],
    ['error', error],
  ])
}

const nonZero = (value: bigint) => (value === 0n ? undefined : String(value))

function changesJson(changes: ChangeResult, associative: boolean, time: string | undefined): string {
  return jsonObject([
    ['last_insert_id', nonZero(changes.lastInsertId)],
    ['rows_affected', nonZero(changes.rowsAffected)],
    ['time', time],
    ['rows', associative ? 'null' : undefined],
  ])
}

function rowsJson(rows: RowsResult, form: ResultForm, time: string | undefined): string {
  const filled = (items: readonly string[]) => (items.length > 0 ? jsonArray(items) : undefined)
  return jsonObject([
    ['columns', filled(rows.columns.map(jsonString))],
    ['types', filled(rows.types.map(jsonString))],
    [
      'values',
      filled(rows.values.map(row => jsonArray(row.map(cell => jsonCell(cell, form.blobsAsArrays))))),
    ],
    ['time', time],
  ])
}

/** A repeated column keeps its last value; names are sorted. */
function associativeJson(rows: RowsResult, form: ResultForm, time: string | undefined): string {
  const sorted = (values: readonly string[]) =>
    jsonObject(
      [...new Map(rows.columns.map((name, index) => [name, values[index]]))].sort(([a], [b]) =>
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
      ),
    )
  const all = rows.values.map(row => sorted(row.map(cell => jsonCell(cell, form.blobsAsArrays))))
  return jsonObject([
    ['types', rows.columns.length > 0 ? sorted(rows.types.map(jsonString)) : undefined],
    ['rows', jsonArray(all)],
    ['time', time],
  ])
}

export interface Envelope {
  results: readonly string[]
  error?: string
  timings: boolean
  raftIndex?: number
  sequenceNumber?: bigint
}

export function envelopeJson({ results, error, timings, raftIndex, sequenceNumber }: Envelope): string {
  return jsonObject([
    ['results', jsonArray(results)],
    ['error', error === undefined ? undefined : jsonString(error)],
    ['time', timings ? '0.000090485' : undefined],
    ['sequence_number', sequenceNumber === undefined ? undefined : String(sequenceNumber)],
    ['raft_index', raftIndex ? String(raftIndex) : undefined],
  ])
}
