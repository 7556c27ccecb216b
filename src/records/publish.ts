import { StorageError } from '../core/errors.ts'
import type { ObjectInfo } from '../core/provider.ts'
import { type BatchResult, HELD, type Statement } from '../sql/engine.ts'
import { insertJobsOfRecords, type JobsOfRecords } from './journal-row.ts'
import { ATTRIBUTE_COLUMNS, attributeValues, type FileRecord } from './record.ts'
import type { RecordSet } from './record-set.ts'
import type { PreparedFile } from './write-file.ts'

/** The batch that publishes, as its parts need it. */
export interface Publishing {
  /** Its id, for `HELD`. */
  readonly batch: string
  /** The store's time, in milliseconds since 1970. */
  readonly now: number
  /** What the file will be. */
  readonly generation: string
}

/** What else must hold in the batch that publishes, and what else happens in it. */
export interface PublicationPart {
  /** A SELECT that gives a row where it may be published. */
  readonly condition: Statement
  /** Statements that carry `HELD`. */
  statements(publishing: Publishing): readonly Statement[]
  readonly locks: readonly string[]
  /** Why `condition` does not hold. */
  refused(): Promise<StorageError>
}

export interface Publication {
  readonly operation: string
  readonly key: string
  readonly prepared: PreparedFile
  /** Only where nothing is live under the key. */
  readonly ifNoneMatch?: '*' | undefined
  /** Only over this generation. */
  readonly ifMatch?: string | undefined
  readonly part?: PublicationPart | undefined
  /** The caller's own statements, in the same batch. */
  readonly also?: readonly Statement[] | undefined
  /** The caller's open transaction. */
  readonly transaction?: unknown
  /** Counted where it is tried anew, after a transaction that may have rolled back. Default: 1. */
  readonly attempt?: number
}

const SQL_COLUMNS = ATTRIBUTE_COLUMNS.join(', ')
const REPLACED_COLUMNS = ATTRIBUTE_COLUMNS.filter(name => name !== 'modified_at')
  .map(name => `${name} = excluded.${name}`)
  .join(', ')

/**
 * One batch: the record points at the new bytes where their intent is not doomed, the intent closes, and whatever bytes
 * were current are journaled for deletion. Of two uploads the later batch wins.
 *
 * @throws `already-exists`, `precondition-failed`; `conflict` where recovery has given the intent up
 */
export async function publish(set: RecordSet, publication: Publication): Promise<FileRecord> {
  const { prepared, part, also = [], transaction, key, attempt = 1 } = publication
  const joined = transaction === undefined ? undefined : set.join(transaction)
  const now = await set.clock.now()
  const record = newRecord(prepared, now)
  // An id of its own each time: under the same one a publication that has happened would look like this one.
  const batch = attempt === 1 ? `${prepared.id}:publish` : `${prepared.id}:publish:${attempt}`
  const statements = publishStatements(set, record, publication, batch, now)
  const options = {
    id: batch,
    condition: publishCondition(set, publication),
    locks: set.locks(key, prepared.physical, ...(part?.locks ?? [])),
  }
  const result = joined
    ? await joined.batch(statements, options)
    : await set.batch([...statements, ...also], { ...options, guard: also.length > 0 ? 'abort' : 'data' })
  if (!result.applied) throw await refusedBecause(set, publication)
  return { ...record, modifiedAt: modifiedAt(result) ?? record.modifiedAt }
}

function newRecord({ id, key, physical, stored }: PreparedFile, now: number): FileRecord {
  return {
    key,
    generation: id,
    physical,
    size: stored.size,
    attributes: stored.attributes,
    checksum: stored.checksum,
    storeEtag: stored.info.etag,
    versionId: stored.info.versionId,
    adopted: false,
    createdAt: now,
    modifiedAt: now,
  }
}

function publishCondition(set: RecordSet, publication: Publication): Statement {
  const { prepared, key, ifNoneMatch, ifMatch, part } = publication
  const files = set.table('files')
  // Fence 1: the writer's own, before anybody has taken the intent over.
  let sql = `SELECT 1 WHERE EXISTS (SELECT 1 FROM ${set.table('journal')} WHERE id = ? AND state = 'open' AND fence = 1)`
  const parameters: Statement[1][] = [prepared.id]
  if (ifNoneMatch !== undefined) {
    sql += ` AND NOT EXISTS (SELECT 1 FROM ${files} WHERE key = ? AND state = 'live')`
    parameters.push(key)
  }
  if (ifMatch !== undefined) {
    sql += ` AND EXISTS (SELECT 1 FROM ${files} WHERE key = ? AND state = 'live' AND generation = ?)`
    parameters.push(key, ifMatch)
  }
  if (part !== undefined) {
    const [condition, ...more] = part.condition
    sql += ` AND EXISTS (${condition})`
    parameters.push(...more)
  }
  return [sql, ...parameters]
}

function publishStatements(
  set: RecordSet,
  record: FileRecord,
  { part, transaction }: Publication,
  batch: string,
  now: number,
): Statement[] {
  const { replaceGraceMs, keepForBackupsMs } = set.settings
  const { key, generation } = record
  const files = set.table('files')
  const values = attributeValues(record)
  const old = oldBytes(set, generation, now, replaceGraceMs + keepForBackupsMs, transaction !== undefined)
  return [
    insertJobsOfRecords(
      set.table('journal'),
      files,
      old,
      ["key = ? AND state = 'live' AND generation <> ?", key, generation],
      batch,
    ),
    ...metadataStatements(set, key, record.attributes.metadata ?? {}, batch),
    [
      `INSERT INTO ${files} (key, generation, state, operation, ${SQL_COLUMNS}) SELECT ?, ?, 'live', NULL, ${values.map(() => '?').join(', ')} WHERE ${HELD} ` +
        `ON CONFLICT (key) DO UPDATE SET generation = excluded.generation, state = 'live', operation = NULL, ${REPLACED_COLUMNS}, ` +
        // A clock that was set back must not make a newer file look older.
        `modified_at = CASE WHEN ${files}.modified_at > excluded.modified_at THEN ${files}.modified_at ELSE excluded.modified_at END RETURNING modified_at`,
      key,
      generation,
      ...values,
      batch,
    ],
    [`DELETE FROM ${set.table('journal')} WHERE id = ? AND ${HELD}`, generation, batch],
    ...(part?.statements({ batch, now, generation }) ?? []),
  ]
}

/**
 * How bytes that no record refers to any more are journaled. Without a grace the writer itself deletes them next, past
 * the point of no return; what the caller's transaction has still to commit is nobody's yet.
 */
export function oldBytes(
  set: RecordSet,
  operation: string,
  now: number,
  delayMs: number,
  isJoined: boolean,
): JobsOfRecords {
  const common = { operation, kind: 'replaced', dueAt: now + delayMs, createdAt: now } as const
  return delayMs > 0 || isJoined
    ? { ...common, state: 'waiting', owner: '', attempts: 0 }
    : { ...common, state: 'doomed', owner: set.owner, attempts: 1 }
}

/** The user's strings as rows, instead of those that were there. */
function metadataStatements(
  set: RecordSet,
  key: string,
  metadata: Readonly<Record<string, string>>,
  batch: string,
): Statement[] {
  const table = set.table('metadata')
  return [
    [`DELETE FROM ${table} WHERE key = ? AND ${HELD}`, key, batch],
    ...Object.entries(metadata).map(
      ([name, value]): Statement => [
        `INSERT INTO ${table} (key, name, value) SELECT ?, ?, ? WHERE ${HELD}`,
        key,
        name,
        value,
        batch,
      ],
    ),
  ]
}

function modifiedAt({ results }: BatchResult): number | undefined {
  for (const { rows } of results ?? []) {
    const value = rows[0]?.modified_at
    if (typeof value === 'bigint') return Number(value)
  }
  return undefined
}

/** Asked only after a refusal, so it may have changed again: then trying again is right. */
async function refusedBecause(set: RecordSet, publication: Publication): Promise<StorageError> {
  const { operation, key, ifNoneMatch, ifMatch, part, transaction } = publication
  const joined = transaction === undefined ? undefined : set.join(transaction)
  const record = await set.record(key, { consistency: 'linearizable' }, joined)
  const details = { operation, key, provider: set.provider.name }
  const ours = conditionProblem(record, { ifNoneMatch, ifMatch }, details)
  if (ours !== undefined) return ours
  if (part !== undefined) return part.refused()
  return new StorageError(
    'conflict',
    `${operation}: something else has happened to the file or to the new bytes meanwhile; try again`,
    details,
  )
}

/** Why a file's present state does not allow what is asked, where it does not. */
export function conditionProblem(
  record: Pick<FileRecord, 'generation'> | undefined,
  { ifNoneMatch, ifMatch }: { ifNoneMatch?: '*' | undefined; ifMatch?: string | undefined },
  details: { operation: string; key: string; provider: string },
): StorageError | undefined {
  const { operation } = details
  if (ifNoneMatch !== undefined && record !== undefined)
    return new StorageError('already-exists', `${operation}: something is stored under this key`, details)
  if (ifMatch !== undefined && record?.generation !== ifMatch)
    return new StorageError(
      'precondition-failed',
      `${operation}: the file has another etag by now, or is gone`,
      details,
    )
  return undefined
}

/** What is recorded of attributes that the store reports by itself. */
export function attributesOf(info: ObjectInfo): Stored['attributes'] {
  const { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, metadata } = info
  const all = { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, metadata }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

type Stored = PreparedFile['stored']
