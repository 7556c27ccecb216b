/** What the database knows of physical keys, as lists in their order. */
import type { Row, SqlValue } from '../sql/engine.ts'
import type { RecordSet } from './record-set.ts'

/** A record, as far as an audit compares it. */
export interface AuditedRecord {
  readonly physical: string
  readonly key: string
  readonly state: 'live' | 'deleting' | 'trash'
  readonly size: number
  readonly storeEtag: string | undefined
  readonly checksum: { readonly algorithm: string; readonly value: string } | undefined
}

/** An object without a record, as audits before have seen it. */
export interface Sighting {
  readonly physical: string
  readonly size: number
  readonly etag: string | undefined
  /** Milliseconds since 1970, by the store's clock: when it was seen first. */
  readonly seenAt: number
}

const PAGE = 1000
const COMPARED = 'key, size, store_etag, checksum_algorithm, checksum_value'

export const RECORD_SELECT = (files: string) => `SELECT physical, state, ${COMPARED} FROM ${files}`
export const TRASH_SELECT = (trash: string) =>
  `SELECT trashed AS physical, 'trash' AS state, ${COMPARED} FROM ${trash}`

/** Records, live and hidden, by where their bytes are. */
export function recordPages(set: RecordSet, signal: AbortSignal | undefined) {
  return pages(
    set,
    after => [
      `${RECORD_SELECT(set.table('files'))} WHERE physical > ? ORDER BY physical LIMIT ${PAGE}`,
      after,
    ],
    auditedRecord,
    signal,
  )
}

/** Deleted files whose bytes are in the trash. */
export function trashPages(set: RecordSet, signal: AbortSignal | undefined) {
  return pages(
    set,
    after => [
      `${TRASH_SELECT(set.table('trash'))} WHERE trashed > ? AND ready = 1 ORDER BY trashed LIMIT ${PAGE}`,
      after,
    ],
    auditedRecord,
    signal,
  )
}

/** Keys on which effects are under way or owed. */
export function jobPages(set: RecordSet, signal: AbortSignal | undefined) {
  return pages(
    set,
    after => [
      `SELECT DISTINCT physical FROM ${set.table('journal')} WHERE physical > ? ORDER BY physical LIMIT ${PAGE}`,
      after,
    ],
    row => ({ physical: String(row.physical) }),
    signal,
  )
}

export function sightingPages(set: RecordSet, signal: AbortSignal | undefined) {
  return pages(
    set,
    after => [
      `SELECT physical, size, etag, seen_at FROM ${set.table('orphans')} WHERE physical > ? ORDER BY physical LIMIT ${PAGE}`,
      after,
    ],
    sightingFrom,
    signal,
  )
}

async function* pages<Item extends { readonly physical: string }>(
  set: RecordSet,
  statement: (after: string) => readonly [string, ...SqlValue[]],
  itemFrom: (row: Row) => Item,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Item[]> {
  for (let after = ''; ; ) {
    const rows = await set.query(statement(after), { signal })
    const items = rows.map(itemFrom)
    if (items.length > 0) yield items
    if (items.length < PAGE) return
    after = items.at(-1)!.physical
  }
}

export function auditedRecord(row: Row): AuditedRecord {
  return {
    physical: String(row.physical),
    key: String(row.key),
    state: String(row.state) as AuditedRecord['state'],
    size: Number(row.size),
    storeEtag: row.store_etag === null ? undefined : String(row.store_etag),
    checksum:
      row.checksum_value === null
        ? undefined
        : { algorithm: String(row.checksum_algorithm), value: String(row.checksum_value) },
  }
}

function sightingFrom(row: Row): Sighting {
  return {
    physical: String(row.physical),
    size: Number(row.size),
    etag: row.etag === null ? undefined : String(row.etag),
    seenAt: Number(row.seen_at),
  }
}
