import { StorageError } from '../../core/errors.ts'
import type { RecordSet } from '../../records/record-set.ts'
import type { Row, Statement } from '../../sql/engine.ts'
import type { Manifest, ManifestRow } from '../manifest.ts'

const BATCH = 200

/** Where a record says where its bytes are: those of files under `physical`, those of deleted files under `trashed`. */
const PLACES = [
  { table: 'files', column: 'physical' },
  { table: 'trash', column: 'trashed' },
] as const

/**
 * What records know of their bytes that only the old store could say, as the new one says it. Their checksums are held against
 * what was copied on the way.
 *
 * @returns records that were changed
 * @throws `checksum-mismatch`, and nothing of that batch was changed
 */
export async function refreshRecords(
  set: RecordSet,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<number> {
  let refreshed = 0
  let batch: ManifestRow[] = []
  const flush = async () => {
    for (const place of PLACES) refreshed += await refreshBatch(set, place, batch)
    batch = []
  }
  for await (const row of manifest.rows({ states: ['copied'] })) {
    signal?.throwIfAborted()
    batch.push(row)
    if (batch.length === BATCH) await flush()
  }
  if (batch.length > 0) await flush()
  return refreshed
}

async function refreshBatch(
  set: RecordSet,
  { table, column }: (typeof PLACES)[number],
  rows: readonly ManifestRow[],
): Promise<number> {
  const name = set.table(table)
  const recorded = await set.query([
    `SELECT ${column} AS place, checksum_algorithm, checksum_value, size, store_etag, version_id FROM ${name} WHERE ${column} IN (${rows.map(() => '?').join(', ')})`,
    ...rows.map(row => row.destinationKey),
  ])
  const byPlace = new Map(recorded.map(record => [String(record.place), record]))
  const changes: Statement[] = []
  for (const row of rows) {
    const record = byPlace.get(row.destinationKey)
    if (record === undefined) continue
    assertSame(record, row)
    const etag = row.destinationEtag ?? null
    if (record.store_etag === etag && record.version_id === null) continue
    changes.push([
      `UPDATE ${name} SET store_etag = ?, version_id = NULL WHERE ${column} = ?`,
      etag,
      row.destinationKey,
    ])
  }
  if (changes.length > 0) await set.write(changes, { durable: true })
  return changes.length
}

function assertSame(
  record: Row,
  { destinationKey, destinationSize, destinationChecksum }: ManifestRow,
): void {
  const isOtherSize = Number(record.size) !== destinationSize
  const isWhole = record.checksum_algorithm === 'sha256' && destinationChecksum?.startsWith('sha256:')
  const isOther = isWhole === true && destinationChecksum !== `sha256:${record.checksum_value}`
  if (!isOtherSize && !isOther) return
  throw new StorageError(
    'checksum-mismatch',
    `repointRecords: the bytes at ${JSON.stringify(destinationKey)} are not those that their record was made of, at the source either`,
    { operation: 'repointRecords', key: destinationKey },
  )
}
