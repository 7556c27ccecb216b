import type { ReadAnswer, ReadRequest } from '../core/driver.ts'
import { isStorageError, StorageError } from '../core/errors.ts'
import { rangeHeader, rangePastEnd, spanOf } from '../core/range.ts'
import { metRecord } from './meet-files.ts'
import { type FileRecord, infoOf } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { checkedRecord } from './records-driver.ts'

/** A pointer that changes while it is followed is followed again; this often, since each time a writer has succeeded. */
const MOST_TURNS = 10

/**
 * The bytes of the current generation. They lie under a key of their own that is never overwritten, so a long read is
 * never a splice of two files.
 *
 * A record that is live and has no bytes in the store is an alarm, not a file that was not found.
 */
export async function readFile(set: RecordSet, request: ReadRequest): Promise<ReadAnswer> {
  const { key, signal } = request
  let record = checkedRecord(set, await metRecord(set, key, { signal }), request, 'download')
  for (let turn = 1; ; turn++) {
    try {
      return await openBytes(set, record, request)
    } catch (error) {
      if (!isStorageError(error, 'not-found') || error.resource !== undefined) throw error
      const now = checkedRecord(
        set,
        await set.record(key, { signal, consistency: 'linearizable' }),
        request,
        'download',
      )
      if (now.physical === record.physical || turn === MOST_TURNS) throw lostBytes(set, now, error)
      record = now
    }
  }
}

async function openBytes(
  set: RecordSet,
  record: FileRecord,
  { range, key, signal }: ReadRequest,
): Promise<ReadAnswer> {
  const span = range && spanOf(range, record.size)
  if (range !== undefined && span === undefined) throw rangePastEnd(key, record.size, set.provider.name)
  const download = await set.provider.download(record.physical, {
    signal,
    ...(range === undefined ? {} : { range: rangeHeader(range) as `bytes=${string}` }),
  })
  if (download.info.size !== record.size) {
    download.cancel()
    set.emit({ kind: 'bytes-differ', severity: 'alarm', key, physical: record.physical })
    throw new StorageError(
      'internal',
      `download: the record says ${record.size} bytes, the store has ${download.info.size}; run an audit`,
      { operation: 'download', key, provider: set.provider.name },
    )
  }
  const source = {
    chunks: () => download,
    bytes: () => download.bytes(),
    cancel: () => download.cancel(),
  }
  return { info: infoOf(record), source, ...(span === undefined ? {} : { span }) }
}

function lostBytes(set: RecordSet, { key, physical }: FileRecord, cause: StorageError): StorageError {
  set.emit({ kind: 'bytes-missing', severity: 'alarm', key, physical })
  return new StorageError(
    'internal',
    'download: the file is recorded, but the store has no bytes of it; run an audit, then restore them or delete the record',
    { operation: 'download', key, provider: set.provider.name, cause },
  )
}
