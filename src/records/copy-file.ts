import { eitherSignal } from '../core/deadline.ts'
import type { Attributes, CopyRequest } from '../core/driver.ts'
import { isStorageError, StorageError } from '../core/errors.ts'
import type { ObjectInfo } from '../core/provider.ts'
import { HELD, type JoinedTransaction, type Statement } from '../sql/engine.ts'
import { insertJobsOfRecords } from './journal-row.ts'
import { meetFiles, metRecord, retiresUnmet } from './meet-files.ts'
import { ownOptionsOf } from './own-options.ts'
import { conditionProblem, oldBytes, type PublicationPart } from './publish.ts'
import { type FileRecord, infoOf } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { checkedRecord } from './records-driver.ts'
import { storeAttributes } from './upload-file.ts'
import { type Stored, writeFile } from './write-file.ts'

/** A source that changes while it is copied is copied again; this often, since each time a writer has succeeded. */
const MOST_TURNS = 10

const LIVE = "key = ? AND state = 'live' AND generation = ?"

/** Copies the bytes in the store to a new physical key, then one batch points the destination at them. */
export function copyFile(set: RecordSet, request: CopyRequest): Promise<ObjectInfo> {
  return transfer(set, request, 'copy')
}

/** As `copyFile`, and the same batch forgets the source, whose bytes go: its old URLs lead nowhere. */
export function moveFile(set: RecordSet, request: CopyRequest): Promise<ObjectInfo> {
  return transfer(set, request, request.from === request.to ? 'copy' : 'move')
}

async function transfer(
  set: RecordSet,
  request: CopyRequest,
  operation: 'copy' | 'move',
): Promise<ObjectInfo> {
  const { from, to, ifNoneMatch, ifMatch, signal } = request
  const joins = ownOptionsOf(set, operation, request.own)
  const joined = joins.transaction === undefined ? undefined : set.join(joins.transaction)
  for (let turn = 1; ; turn++) {
    const asked = { key: from, ifMatch, ifNoneMatch: undefined }
    const source = checkedRecord(set, await metRecord(set, from, { signal }, joined), asked, operation)
    await meetFiles(set, [to], { signal, joined })
    await assertDestination(set, request, operation, joined)
    const part =
      operation === 'move'
        ? await forgetSource(set, source, joined !== undefined)
        : from === to
          ? unchangedSource(set, source, operation)
          : undefined
    try {
      const record = await writeFile(
        set,
        { operation, key: to, ifNoneMatch, part, ...joins },
        (physical, lost) => copyBytes(set, source, request, physical, lost),
      )
      return infoOf(record)
    } catch (error) {
      const moved =
        isStorageError(error, 'not-found') || (error instanceof SourceChanged && error.code === 'conflict')
      if (!moved || turn === MOST_TURNS) throw error
      const now = await set.record(from, { signal, consistency: 'linearizable' }, joined)
      // The same generation, and no bytes: no race, a loss.
      if (now?.generation === source.generation && isStorageError(error, 'not-found')) {
        set.emit({ kind: 'bytes-missing', severity: 'alarm', key: from, physical: source.physical })
        throw new StorageError(
          'internal',
          `${operation}: the file is recorded, but the store has no bytes of it; run an audit, then restore them or delete the record`,
          {
            operation,
            key: from,
            provider: set.provider.name,
            cause: error,
          },
        )
      }
    }
  }
}

async function assertDestination(
  set: RecordSet,
  { to, ifNoneMatch, signal }: CopyRequest,
  operation: string,
  joined: JoinedTransaction | undefined,
) {
  if (ifNoneMatch === undefined) return
  const details = { operation, key: to, provider: set.provider.name }
  const problem = conditionProblem(await set.record(to, { signal }, joined), { ifNoneMatch }, details)
  if (problem !== undefined) throw problem
}

async function copyBytes(
  set: RecordSet,
  source: FileRecord,
  { to, attributes: changes, signal }: CopyRequest,
  physical: string,
  lost: AbortSignal,
): Promise<Stored> {
  const attributes: Attributes = { ...source.attributes, ...changes }
  const info = await set.provider.copy(source.physical, physical, {
    ...storeAttributes(set, to, attributes),
    signal: eitherSignal(signal, lost),
  })
  if (info.size !== source.size) {
    set.emit({ kind: 'bytes-differ', severity: 'alarm', key: source.key, physical: source.physical })
    throw new StorageError(
      'internal',
      `copy: the record says ${source.size} bytes, the store has copied ${info.size}; run an audit`,
    )
  }
  return { size: source.size, attributes, checksum: source.checksum, info }
}

/** The source is another file by now: what was copied is not what is there. */
class SourceChanged extends StorageError {}

/** Only while the source is as it was read: a file that is changed in place neither comes back nor undoes an upload. */
function unchangedSource(
  set: RecordSet,
  { key, generation }: FileRecord,
  operation: 'copy' | 'move',
): PublicationPart {
  return {
    condition: [`SELECT 1 FROM ${set.table('files')} WHERE ${LIVE}`, key, generation],
    locks: [key],
    statements: () => [],
    async refused() {
      return new SourceChanged('conflict', `${operation}: the source has changed meanwhile; try again`, {
        operation,
        key,
        provider: set.provider.name,
      })
    },
  }
}

/** What a move does beside publishing: the source's record goes and its bytes are journaled for deletion. */
async function forgetSource(set: RecordSet, source: FileRecord, isJoined: boolean): Promise<PublicationPart> {
  const [files, journal] = [set.table('files'), set.table('journal')]
  const { key, generation } = source
  const retires = await retiresUnmet(set)
  return {
    ...unchangedSource(set, source, 'move'),
    statements({ batch, now, generation: destination }) {
      // At once, whatever backups may want: what has moved may have become private.
      const old = oldBytes(set, destination, now, 0, isJoined)
      return [
        insertJobsOfRecords(journal, files, old, [LIVE, key, generation], batch),
        ...retires([LIVE, key, generation], now, batch),
        [`DELETE FROM ${set.table('metadata')} WHERE key = ? AND ${HELD}`, key, batch],
        [`DELETE FROM ${files} WHERE ${LIVE} AND ${HELD}`, key, generation, batch],
      ] satisfies Statement[]
    },
  }
}
