import { mapBounded } from '../core/batches.ts'
import { isStorageError } from '../core/errors.ts'
import type { ObjectInfo, OperationOptions } from '../core/provider.ts'
import { HELD, type Statement } from '../sql/engine.ts'
import { unknownOf } from './known-now.ts'
import { assertKnownOptions } from './known-options.ts'
import { RESERVED, uploadOf } from './physical-key.ts'
import { attributesOf } from './publish.ts'
import { ATTRIBUTE_COLUMNS, attributeValues, type FileRecord } from './record.ts'
import type { RecordSet } from './record-set.ts'

export interface AdoptOptions extends OperationOptions {
  /** Only objects whose keys begin so, below the root of the record set. */
  prefix?: string
  /** Counts what would be adopted, and adopts nothing. */
  dryRun?: boolean
  onProgress?: (report: AdoptReport) => void
}

export interface AdoptReport {
  /** Objects that have a record now and had none before. */
  readonly adopted: number
  /** Objects that had a record, or whose key has another file's record. */
  readonly known: number
  /** Objects under keys that were adopted once and deleted: such a key is never used again. */
  readonly retired: number
  /** Objects in our own form without a record: what an audit calls orphans. */
  readonly ours: number
}

const BATCH = 100
const CONCURRENCY = 8

/**
 * Records objects that are in the bucket already, as they are: no byte moves, and their keys become the files' keys.
 * Each is asked for its attributes, since lists leave some out. Running it again adopts what has come since.
 */
export async function adoptFiles(set: RecordSet, options: AdoptOptions = {}): Promise<AdoptReport> {
  assertKnownOptions('adopt', options, { prefix: 'string', dryRun: 'boolean', onProgress: 'function' })
  const { prefix = '', dryRun = false, onProgress, signal } = options
  const root = await set.root()
  const report = { adopted: 0, known: 0, retired: 0, ours: 0 }
  let batch: string[] = []
  let own: string[] = []
  const flushOwn = async () => {
    report.ours += (await unknownOf(set, own)).size
    own = []
  }
  const flush = async () => {
    const physicals = batch
    batch = []
    const part = await adoptBatch(set, root, physicals, dryRun, signal)
    for (const name of ['adopted', 'known', 'retired'] as const) report[name] += part[name]
    onProgress?.({ ...report })
  }
  for await (const entry of set.provider.list({ prefix: root + prefix, signal })) {
    if (entry.kind !== 'object' || entry.key === root || entry.key.startsWith(root + RESERVED)) continue
    if (uploadOf(entry.key) !== undefined) {
      own.push(entry.key)
      if (own.length === BATCH) await flushOwn()
      continue
    }
    batch.push(entry.key)
    if (batch.length === BATCH) await flush()
  }
  await flushOwn()
  if (batch.length > 0) await flush()
  return report
}

type BatchReport = Omit<AdoptReport, 'ours'>

async function adoptBatch(
  set: RecordSet,
  root: string,
  physicals: readonly string[],
  dryRun: boolean,
  signal: AbortSignal | undefined,
): Promise<BatchReport> {
  const marks = physicals.map(() => '?').join(', ')
  const named = async (table: string, column: string, values: readonly string[]) =>
    new Set(
      (
        await set.query([
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
async function record(set: RecordSet, root: string, infos: readonly ObjectInfo[]): Promise<number> {
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
  const { results } = await set.batch(statements, { id, locks: [...new Set(locks)] })
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
