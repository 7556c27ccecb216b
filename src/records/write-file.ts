/**
 * How new bytes come to be a file, whoever brings them: an upload, a copy, a finalized or a restored one.
 *
 * 1. One batch journals the intent: a key that was never used is set aside.
 * 2. The bytes are put there.
 * 3. One batch publishes them (publish.ts): the record points at them, the intent is gone.
 *
 * A crash in between leaves the intent, from which the bytes are found and deleted.
 */
import { isStorageError, StorageError } from '../core/errors.ts'
import type { ObjectInfo } from '../core/provider.ts'
import { timeLimit } from './delete-files.ts'
import { heartbeat } from './heartbeat.ts'
import { insertJob } from './journal-row.ts'
import { physicalKey } from './physical-key.ts'
import { type Publication, publish } from './publish.ts'
import type { FileRecord } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { runRemoveJobs } from './run-remove-jobs.ts'
import { abandonWrite } from './run-write-job.ts'

/** What the store keeps of the bytes that were put. */
export type Stored = Pick<FileRecord, 'size' | 'attributes' | 'checksum'> & {
  readonly info: Pick<ObjectInfo, 'etag' | 'versionId'>
}

/** New bytes under a key of their own that no reader sees yet. */
export interface PreparedFile {
  /** The upload's id: the generation, once published. */
  readonly id: string
  readonly key: string
  readonly physical: string
  readonly stored: Stored
  /** Stops saying that the writer is alive. */
  readonly settled: () => void
  /** Ends when recovery has taken the intent away from a writer that was silent too long. */
  readonly lost: AbortSignal
}

/** Steps 1 and 2. What `put` throws is thrown, after what it may have left has been journaled for deletion. */
export async function prepareFile(
  set: RecordSet,
  key: string,
  operation: string,
  put: (physical: string, lost: AbortSignal) => Promise<Stored>,
): Promise<PreparedFile> {
  const id = set.newId()
  const physical = physicalKey(await set.root(), key, id, set.provider.capabilities.keys)
  const now = await set.clock.now()
  const batch = `${id}:intent`
  const intent = {
    id,
    operation: id,
    kind: 'write',
    state: 'open',
    key,
    physical,
    owner: set.owner,
    dueAt: now,
    createdAt: now,
  } as const
  await set.batch([insertJob(set.table('journal'), intent, batch)], { id: batch })
  const beating = heartbeat(set, id)
  try {
    const stored = await put(physical, beating.lost)
    return { id, key, physical, stored, settled: beating.stop, lost: beating.lost }
  } catch (error) {
    beating.stop()
    await abandonWrite(set, { id, physical })
    if (beating.lost.aborted) throw givenUp(set, operation, key)
    throw error
  }
}

/** All three steps. */
export async function writeFile(
  set: RecordSet,
  publication: Omit<Publication, 'prepared'>,
  put: (physical: string, lost: AbortSignal) => Promise<Stored>,
): Promise<FileRecord> {
  const { key, operation } = publication
  const prepared = await prepareFile(set, key, operation, put)
  return publishPrepared(set, { ...publication, prepared })
}

/** Step 3; what is not published is deleted. */
export async function publishPrepared(set: RecordSet, publication: Publication): Promise<FileRecord> {
  const { prepared } = publication
  try {
    const record = await publish(set, publication)
    if (deletesAtOnce(set, publication)) await removeOldBytes(set, record)
    return record
  } catch (error) {
    // Whether it happened is unknown, or up to the caller, whose transaction holds what giving it up would wait for:
    // the intent stays, and recovery finds out.
    const isOpen = publication.transaction !== undefined || isStorageError(error, 'pending')
    if (!isOpen) await abandonWrite(set, prepared)
    throw error
  } finally {
    prepared.settled()
  }
}

/** Whether what was replaced or moved from has no grace: see `oldBytes`. */
function deletesAtOnce({ settings }: RecordSet, { operation, transaction }: Publication): boolean {
  if (transaction !== undefined) return false
  return operation === 'move' || settings.replaceGraceMs + settings.keepForBackupsMs === 0
}

/** Old bytes without a grace go at once. What fails is in the journal: the new file is there all the same. */
async function removeOldBytes(set: RecordSet, { generation }: FileRecord): Promise<void> {
  try {
    const where = "operation = ? AND kind = 'replaced' AND state = 'doomed' AND owner = ?"
    const jobs = await set.jobs([where, generation, set.owner])
    if (jobs.length > 0) await runRemoveJobs(set, jobs, { timeoutMs: timeLimit(set) })
  } catch (error) {
    set.emit({ kind: 'worker-failed', severity: 'warning', failures: 1, error: set.error(error, 'upload') })
  }
}

function givenUp(set: RecordSet, operation: string, key: string): StorageError {
  return new StorageError(
    'conflict',
    `${operation}: this process was silent for longer than its lease, so recovery has given the new bytes up; try again`,
    { operation, key, provider: set.provider.name },
  )
}
