import { mapBounded } from '../core/batches.ts'
import { isStorageError } from '../core/errors.ts'
import type { ObjectInfo } from '../core/provider.ts'
import { HELD, type JoinedTransaction, type Statement } from '../sql/engine.ts'
import type { AdoptReport } from './adopt-files.ts'
import { attributesOf } from './publish.ts'
import { ATTRIBUTE_COLUMNS, attributeValues, type FileRecord } from './record.ts'
import type { RecordSet } from './record-set.ts'

const CONCURRENCY = 8

export interface BatchOptions {
  readonly dryRun?: boolean
  readonly signal?: AbortSignal | undefined
  /** The caller's open transaction, which the records then commit with. */
  readonly joined?: JoinedTransaction | undefined
}

/** Records those of these objects that are there, have no record and may have one. At most some hundreds. */
export async function adoptBatch(
  set: RecordSet,
  root: string,
  physicals: readonly string[],
  { dryRun = false, signal, joined }: BatchOptions = {},
): Promise<Omit<AdoptReport, 'ours'>> {
  const ask = (statement: Statement) =>
    joined === undefined ? set.query(statement) : joined.query(statement)
  const marks = physicals.map(() => '?').join(', ')
  const named = async (table: string, column: string, values: readonly string[]) =>
    new Set(
      (
        await ask([
          `SELECT ${column} AS name FROM ${set.table(table)} WHERE ${column} IN (${marks})`,
          ...values,
        ])
      ).map(row => String(row.name)),
    )
  const keys = physicals.map(physical => physical.slice(root.length))
  const [taken, retired] = await Promise.all([
    named('files', 'key', keys),
    named('retired', 'physical', physicals),
  ])
  const free = physicals.filter(physical => !taken.has(physical.slice(root.length)) && !retired.has(physical))
  const infos = dryRun
    ? []
    : await mapBounded(free, CONCURRENCY, physical => infoIfThere(set, physical, signal))
  const adopted = dryRun
    ? free.length
    : await record(
        set,
        root,
        infos.filter(info => info !== undefined),
        joined,
      )
  return { adopted, known: physicals.length - retired.size - adopted, retired: retired.size }
}

async function infoIfThere(set: RecordSet, physical: string, signal: AbortSignal | undefined) {
  return set.provider.info(physical, { signal }).catch(error => {
    // Deleted since it was listed.
    if (isStorageError(error, 'not-found') && error.resource === undefined) return undefined
    throw error
  })
}

/** One batch for all: each only where its key has no record, is not retired, and is nobody's old bytes. */
async function record(
  set: RecordSet,
  root: string,
  infos: readonly ObjectInfo[],
  joined: JoinedTransaction | undefined,
): Promise<number> {
  if (infos.length === 0) return 0
  const [files, retired, journal] = [set.table('files'), set.table('retired'), set.table('journal')]
  const id = `${set.newId()}:adopt`
  const now = await set.clock.now()
  const statements: Statement[] = []
  const inserts: number[] = []
  for (const info of infos) {
    const found = adoptedRecord(set, root, info, now)
    const values = attributeValues(found)
    const { key, generation, physical } = found
    inserts.push(statements.length)
    statements.push([
      `INSERT INTO ${files} (key, generation, state, operation, ${ATTRIBUTE_COLUMNS.join(', ')}) SELECT ?, ?, 'live', NULL, ${values.map(() => '?').join(', ')} WHERE NOT EXISTS (SELECT 1 FROM ${files} WHERE key = ? OR physical = ?) AND NOT EXISTS (SELECT 1 FROM ${retired} WHERE physical = ?) AND NOT EXISTS (SELECT 1 FROM ${journal} WHERE physical = ? AND (state = 'doomed' OR kind <> 'orphan')) AND ${HELD}`,
      key,
      generation,
      ...values,
      key,
      physical,
      physical,
      physical,
      id,
    ])
    const metadata = found.attributes.metadata ?? {}
    const mine = `(SELECT 1 FROM ${files} WHERE key = ? AND generation = ?)`
    for (const [name, value] of Object.entries(metadata))
      statements.push([
        `INSERT INTO ${set.table('metadata')} (key, name, value) SELECT ?, ?, ? WHERE EXISTS ${mine} AND ${HELD}`,
        key,
        name,
        value,
        key,
        generation,
        id,
      ])
  }
  const locks = set.locks(...infos.flatMap(({ key }) => [key, key.slice(root.length)]))
  const options = { id, locks: [...new Set(locks)] }
  const { results } = await (joined === undefined
    ? set.batch(statements, options)
    : joined.batch(statements, options))
  if (results === undefined) return infos.length
  return inserts.filter(index => results[index]!.changes === 1).length
}

function adoptedRecord(set: RecordSet, root: string, info: ObjectInfo, now: number): FileRecord {
  const { checksum, lastModified } = info
  const at = lastModified?.getTime() ?? now
  return {
    key: info.key.slice(root.length),
    generation: set.newId(),
    physical: info.key,
    size: info.size,
    attributes: attributesOf(info),
    checksum: checksum?.compositeParts === undefined ? checksum : undefined,
    storeEtag: info.etag,
    versionId: info.versionId,
    adopted: true,
    createdAt: at,
    modifiedAt: at,
  }
}
