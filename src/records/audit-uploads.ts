/** Parts of uploads that were begun and left: no list shows them, and they cost space. */
import type { UnfinishedUpload } from '../core/provider.ts'
import { placeholders, type RecordSet } from './record-set.ts'

const BATCH = 200

/**
 * Uploads below the root that were begun before `startedBefore` (milliseconds since 1970, the store's clock) and that no
 * job knows: nobody can finish them. MinIO lists none of them, since it lists by whole keys only.
 */
export async function* leftUploads(
  set: RecordSet,
  root: string,
  startedBefore: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<UnfinishedUpload> {
  if (!set.provider.capabilities.unfinishedUploads) return
  let batch: UnfinishedUpload[] = []
  for await (const upload of set.provider.unfinishedUploads({ prefix: root, signal })) {
    if (upload.startedAt !== undefined && upload.startedAt.getTime() >= startedBefore) continue
    batch.push(upload)
    if (batch.length < BATCH) continue
    yield* unknownUploads(set, batch, signal)
    batch = []
  }
  if (batch.length > 0) yield* unknownUploads(set, batch, signal)
}

/** Uploads to one key, which every store lists. */
export async function* uploadsTo(
  set: RecordSet,
  physical: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<UnfinishedUpload> {
  if (!set.provider.capabilities.unfinishedUploads) return
  for await (const upload of set.provider.unfinishedUploads({ prefix: physical, signal }))
    if (upload.key === physical) yield upload
}

/** One that ended while the database was asked is none. */
async function* unknownUploads(
  set: RecordSet,
  uploads: readonly UnfinishedUpload[],
  signal: AbortSignal | undefined,
): AsyncGenerator<UnfinishedUpload> {
  const rows = await set.query(
    [
      `SELECT physical FROM ${set.table('journal')} WHERE physical IN (${placeholders(uploads)})`,
      ...uploads.map(({ key }) => key),
    ],
    { consistency: 'linearizable' },
  )
  const known = new Set(rows.map(row => String(row.physical)))
  for (const upload of uploads) {
    if (known.has(upload.key)) continue
    for await (const { uploadId } of uploadsTo(set, upload.key, signal))
      if (uploadId === upload.uploadId) yield upload
  }
}
