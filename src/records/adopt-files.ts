import type { OperationOptions } from '../core/provider.ts'
import { adoptBatch } from './adopt-batch.ts'
import { unknownOf } from './known-now.ts'
import { assertKnownOptions } from './known-options.ts'
import { RESERVED, uploadOf } from './physical-key.ts'
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
    const part = await adoptBatch(set, root, physicals, { dryRun, signal })
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
