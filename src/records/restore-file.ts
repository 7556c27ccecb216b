import { eitherSignal } from '../core/deadline.ts'
import { StorageError } from '../core/errors.ts'
import type { ObjectInfo, OperationOptions } from '../core/provider.ts'
import { HELD, type Row, type Statement } from '../sql/engine.ts'
import { assertKnownOptions, JOIN_KINDS } from './known-options.ts'
import type { JoinOptions } from './own-options.ts'
import { ownOptionsOf } from './own-options.ts'
import type { PublicationPart } from './publish.ts'
import { type FileRecord, infoOf, RECORD_COLUMNS, recordFrom } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { storeAttributes } from './upload-file.ts'
import { writeFile } from './write-file.ts'

/** A deleted file that can still be restored. */
export interface DeletedFile {
  readonly info: ObjectInfo
  /** What `restore` takes where a key was deleted more than once. */
  readonly generation: string
  readonly deletedAt: Date
  /** Until when it can be restored, by the store's clock. */
  readonly expiresAt: Date
}

export interface DeletedOptions extends OperationOptions {
  prefix?: string
  /** At most so many, the youngest first. Default: 100. */
  limit?: number
}

export interface RestoreOptions extends OperationOptions, JoinOptions {
  /** Which of the deleted files of this key. Default: the one deleted last. */
  generation?: string
}

const COLUMNS = `${RECORD_COLUMNS}, trashed, deleted_at, expires_at`

/** Files that can be restored, the youngest deletion first. */
export async function deletedFiles(set: RecordSet, options: DeletedOptions = {}): Promise<DeletedFile[]> {
  assertKnownOptions('deleted', options, { prefix: 'string', limit: 'number' })
  const { prefix = '', limit = 100, signal } = options
  if (!(Number.isInteger(limit) && limit >= 1))
    throw set.refuse('deleted', 'limit must be a whole number from 1')
  const rows = await set.query(
    [
      `SELECT ${COLUMNS} FROM ${set.table('trash')} WHERE ready = 1 AND substr(key, 1, length(?)) = ? ORDER BY deleted_at DESC, generation DESC LIMIT ?`,
      prefix,
      prefix,
      BigInt(limit),
    ],
    { signal },
  )
  return rows.map(row => ({
    info: infoOf(recordFrom(row)),
    generation: String(row.generation),
    deletedAt: new Date(Number(row.deleted_at)),
    expiresAt: new Date(Number(row.expires_at)),
  }))
}

/** Copies the bytes out of the trash to a new key and publishes them. Over a live file it is `already-exists`. */
export async function restoreFile(
  set: RecordSet,
  key: string,
  options: RestoreOptions = {},
): Promise<ObjectInfo> {
  assertKnownOptions('restore', options, { ...JOIN_KINDS, generation: 'string' })
  const { generation, signal, also, transaction } = options
  const joins = ownOptionsOf(set, 'restore', { also, transaction })
  const row = await trashRow(set, key, generation)
  const old = recordFrom(row)
  const trashed = String(row.trashed)
  const publication = {
    operation: 'restore',
    key,
    ifNoneMatch: '*',
    part: takeOut(set, old, trashed),
    ...joins,
  } as const
  const record = await writeFile(set, publication, async (physical, lost) => {
    const info = await set.provider.copy(trashed, physical, {
      ...storeAttributes(set, key, old.attributes),
      signal: eitherSignal(signal, lost),
    })
    if (info.size !== old.size) throw otherBytes(set, old, info.size)
    return { size: old.size, attributes: old.attributes, checksum: old.checksum, info }
  })
  return infoOf(record)
}

function otherBytes(set: RecordSet, { key, physical, size }: FileRecord, copied: number): StorageError {
  set.emit({ kind: 'bytes-differ', severity: 'alarm', key, physical })
  return new StorageError(
    'internal',
    `restore: the record says ${size} bytes, the store has copied ${copied}; run an audit`,
    { operation: 'restore', key, provider: set.provider.name },
  )
}

async function trashRow(set: RecordSet, key: string, generation: string | undefined): Promise<Row> {
  const which: Statement =
    generation === undefined ? ['key = ?', key] : ['key = ? AND generation = ?', key, generation]
  const [where, ...parameters] = which
  const [row] = await set.query(
    [
      `SELECT ${COLUMNS} FROM ${set.table('trash')} WHERE ready = 1 AND ${where} ORDER BY deleted_at DESC, generation DESC LIMIT 1`,
      ...parameters,
    ],
    { consistency: 'linearizable' },
  )
  if (row !== undefined) return row
  const hint = set.settings.restoreMs > 0 ? '' : '; the option restoreMs is not set'
  throw new StorageError('not-found', `restore: there is no deleted file to restore under this key${hint}`, {
    operation: 'restore',
    key,
    provider: set.provider.name,
  })
}

/** The copy in the trash is not needed any more: its deletion, which was due at the end of its time, is due now. */
function takeOut(set: RecordSet, { generation, key }: FileRecord, trashed: string): PublicationPart {
  const [trash, journal] = [set.table('trash'), set.table('journal')]
  return {
    condition: [
      `SELECT 1 FROM ${trash} WHERE generation = ? AND ready = 1 AND NOT EXISTS (SELECT 1 FROM ${journal} WHERE physical = ? AND state = 'doomed')`,
      generation,
      trashed,
    ],
    locks: [trashed],
    statements: ({ batch, now }) => [
      [`DELETE FROM ${trash} WHERE generation = ? AND ${HELD}`, generation, batch],
      [
        `UPDATE ${journal} SET due_at = ? WHERE physical = ? AND kind = 'trash' AND ${HELD}`,
        BigInt(now),
        trashed,
        batch,
      ],
    ],
    async refused() {
      return new StorageError('conflict', 'restore: the file was restored or has expired meanwhile', {
        operation: 'restore',
        key,
        provider: set.provider.name,
        retryable: false,
      })
    },
  }
}
