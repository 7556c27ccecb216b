import type { OperationOptions } from '../../core/options.ts'
import type { ListEntry } from '../../core/provider.ts'
import { HELD } from '../../sql/engine.ts'
import { allHold } from './change-phase.ts'
import { type CutOverSet, chunked, placeholders } from './cut-over-set.ts'
import { CONTROL, OBJECTS } from './cut-over-tables.ts'
import { isStaging } from './key-kinds.ts'
import { type ObjectRow, objectRows } from './object-rows.ts'
import { numberOf } from './phase.ts'
import type { PhaseLease } from './phase-lease.ts'
import { pointRecords } from './point-records.ts'
import { removeFrom } from './remove-both.ts'

export interface DropSourceOptions extends OperationOptions {
  /** Deletes; else it is only counted what would be deleted. */
  apply?: boolean
  onProgress?: (report: DropSourceReport) => void
}

export interface DropSourceReport {
  readonly applied: boolean
  /** Objects that were deleted from the source, or would be, and their bytes. */
  readonly deleted: number
  readonly bytes: number
  /** Kept, because the destination does not show them: look at these. */
  readonly kept: number
  /** Kept, because they are none of this cut-over's. */
  readonly unknown: number
  /** Refused by the source: run it again. */
  readonly failed: number
}

const BATCH = 200

export async function dropSource(
  set: CutOverSet,
  lease: PhaseLease,
  { apply = false, signal, onProgress }: DropSourceOptions = {},
): Promise<DropSourceReport> {
  await lease.renew()
  const { phase } = await set.control()
  if (phase !== numberOf('retired'))
    throw set.conflict('dropSource', 'the source is in use; advance to retired first')
  await allHold(set, lease, phase, signal)
  // Once more: an upload may have been recorded late.
  await pointRecords(set, 'to', signal)
  if (apply) await writeDropped(set)
  const report = { applied: apply, deleted: 0, bytes: 0, kept: 0, unknown: 0, failed: 0 }
  for await (const entries of set
    .side('from')
    .list(signal === undefined ? {} : { signal })
    .pages())
    for (const some of chunked(entries, BATCH)) {
      signal?.throwIfAborted()
      await dropSome(set, some, report, signal)
      onProgress?.({ ...report })
    }
  return report
}

type Counts = { -readonly [Name in keyof DropSourceReport]: DropSourceReport[Name] }

async function dropSome(
  set: CutOverSet,
  entries: readonly ListEntry[],
  report: Counts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const sizes = new Map(
    entries.flatMap(entry => (entry.kind === 'object' ? [[entry.key, entry.size] as const] : [])),
  )
  const rows = await objectRows(set, [...sizes.keys()])
  const arrived = await arrivedOf(set, sizes, rows, signal)
  const doomed: string[] = []
  for (const key of sizes.keys()) {
    const row = rows.get(key)
    // What a browser has sent there may be finalized still; what no row knows may be another record set's.
    const isLeft = row !== undefined && row.from !== 'direct' && isStaging(key)
    if (isLeft || row?.gone || arrived.has(key)) doomed.push(key)
    else if (row === undefined) report.unknown++
    else report.kept++
  }
  const deleted = report.applied && doomed.length > 0 ? await remove(set, doomed, rows, signal) : doomed
  report.failed += doomed.length - deleted.length
  report.deleted += deleted.length
  for (const key of deleted) report.bytes += sizes.get(key)!
}

/** The last copy but one is deleted only where the destination shows the other, now. */
async function arrivedOf(
  set: CutOverSet,
  sizes: ReadonlyMap<string, number>,
  rows: ReadonlyMap<string, ObjectRow>,
  signal: AbortSignal | undefined,
): Promise<Set<string>> {
  const held = [...sizes.keys()].filter(key => rows.get(key)?.to === 'held' && !rows.get(key)!.gone)
  const infos = await set.side('to').infoMany(held, signal === undefined ? {} : { signal })
  return new Set(
    infos.flatMap(info => (info.ok && info.value.size === sizes.get(info.key) ? [info.key] : [])),
  )
}

async function remove(
  set: CutOverSet,
  keys: readonly string[],
  rows: ReadonlyMap<string, ObjectRow>,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const results = await removeFrom(set, 'from', keys, rows, signal)
  const deleted = results.flatMap(result => (result.status === 'error' ? [] : [result.key]))
  if (deleted.length > 0)
    await set.write([
      [
        `UPDATE ${OBJECTS} SET from_state = CASE WHEN gone = 1 THEN 'gone' ELSE 'none' END, from_version = NULL WHERE name = ? AND key IN (${placeholders(deleted)})`,
        set.name,
        ...deleted,
      ],
    ])
  return deleted
}

/** First of all: from here on there is no way back. */
async function writeDropped(set: CutOverSet): Promise<void> {
  const id = `${set.newId()}:drop`
  const retired = BigInt(numberOf('retired'))
  const { applied } = await set.batch(
    [[`UPDATE ${CONTROL} SET dropped = 1 WHERE name = ? AND ${HELD}`, set.name, id]],
    {
      id,
      condition: [`SELECT 1 FROM ${CONTROL} WHERE name = ? AND phase = ?`, set.name, retired],
      locks: set.locks('phase'),
    },
  )
  if (!applied) throw set.conflict('dropSource', 'somebody has taken the cut-over back meanwhile')
}
