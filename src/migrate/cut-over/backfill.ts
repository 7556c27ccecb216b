import { mapBounded } from '../../core/batches.ts'
import type { OperationOptions } from '../../core/options.ts'
import { HELD, type Statement } from '../../sql/engine.ts'
import { type AdoptListed, adoptListed } from './adopt-listed.ts'
import { allHold } from './change-phase.ts'
import { type CutOverSet, chunked } from './cut-over-set.ts'
import { CONTROL, OBJECTS } from './cut-over-tables.ts'
import { isStaging } from './key-kinds.ts'
import { objectRows } from './object-rows.ts'
import { numberOf, rulesOf } from './phase.ts'
import type { PhaseLease, Turn } from './phase-lease.ts'
import { type SettleReport, settle } from './settle.ts'
import { supplyOne } from './supply-one.ts'

export interface BackfillOptions extends OperationOptions {
  onProgress?: (report: BackfillReport) => void
}

export interface BackfillReport {
  /** Objects of the source that were looked at. */
  readonly listed: number
  readonly copied: number
  /** The destination had them, as is written down. */
  readonly known: number
  /** Tried in vain: run it again. */
  readonly failed: number
  /** Objects that had no record and are files now, where the records adopt what they meet. */
  readonly adopted: number
}

const BATCH = 100

/**
 * Copies to the destination what was at the source before the cut-over began. Objects that are written meanwhile go to both by
 * themselves, and one that is deleted while it is copied does not come back. Run again, it goes on where it ended.
 *
 * @throws `conflict` outside the phases from `backfill` to `compare-reads`
 */
export async function backfill(
  set: CutOverSet,
  lease: PhaseLease,
  { signal, onProgress }: BackfillOptions = {},
): Promise<BackfillReport> {
  await lease.renew()
  const { phase } = await set.control()
  if (phase < numberOf('backfill') || phase > numberOf('compare-reads'))
    throw set.conflict('backfill', `not in the phase ${rulesOf(phase).phase}; advance to backfill first`)
  // A process in `source-only` could write behind the back of the list.
  await allHold(set, lease, phase, signal)
  const report = { listed: 0, copied: 0, known: 0, failed: 0, adopted: 0 }
  const adopt = await adoptListed(set)
  const source = set.side('from')
  for await (const entries of source.list(signal === undefined ? {} : { signal }).pages())
    for (const some of chunked(entries, BATCH)) {
      signal?.throwIfAborted()
      const keys = some.flatMap(entry =>
        entry.kind === 'object' && !isStaging(entry.key) ? [entry.key] : [],
      )
      await backfillSome(set, lease, keys, adopt, report, signal)
      onProgress?.({ ...report })
    }
  const settled: SettleReport = await settle(set, lease, { eager: true, signal })
  report.copied += settled.copied
  if (report.failed === 0 && settled.failed === 0) await writeBackfilled(set)
  return report
}

async function backfillSome(
  set: CutOverSet,
  lease: PhaseLease,
  keys: readonly string[],
  adopt: AdoptListed,
  report: { -readonly [Name in keyof BackfillReport]: BackfillReport[Name] },
  signal: AbortSignal | undefined,
): Promise<void> {
  const turn = await lease.begin('backfill', true)
  try {
    report.listed += keys.length
    report.adopted += await adopt(keys, signal)
    const owed = await owedOf(set, turn, keys)
    report.known += keys.length - owed.length
    await mapBounded(owed, set.settings.concurrency, async ({ key, op }) => {
      try {
        await supplyOne(set, turn, { key, op, source: 'from', signal })
        report.copied++
      } catch (failure) {
        // The row is due: settling tries again.
        report.failed++
        set.emit({ kind: 'owed', key, side: 'to', error: set.error(failure, 'backfill', key) })
      }
    })
  } finally {
    turn.end()
  }
}

/** Those that the destination lacks, each with a row that says so, written before it is copied. */
export async function owedOf(
  set: CutOverSet,
  turn: Turn,
  keys: readonly string[],
): Promise<{ key: string; op: string }[]> {
  const before = await objectRows(set, keys)
  const fresh = keys.filter(key => before.get(key) === undefined || before.get(key)!.to === 'none')
  if (fresh.length > 0) await owe(set, turn, fresh)
  const rows = fresh.length > 0 ? await objectRows(set, keys) : before
  return keys.flatMap(key => {
    const row = rows.get(key)
    return row !== undefined && !row.gone && row.from !== 'direct' && row.to === 'owed'
      ? [{ key, op: row.op }]
      : []
  })
}

async function owe(set: CutOverSet, turn: Turn, keys: readonly string[]): Promise<void> {
  const id = `${set.newId()}:backfill`
  const due = BigInt(set.now() + set.settings.leaseMs + set.settings.secondMs)
  const statements = keys.map(
    (key): Statement => [
      `INSERT INTO ${OBJECTS} (name, key, gone, from_state, to_state, op, due_at, attempts) SELECT ?, ?, 0, 'held', 'owed', ?, ?, 0 WHERE ${HELD} ON CONFLICT (name, key) DO UPDATE SET to_state = 'owed', due_at = excluded.due_at WHERE ${OBJECTS}.gone = 0 AND ${OBJECTS}.to_state = 'none' AND ${OBJECTS}.from_state = 'held'`,
      set.name,
      key,
      set.newId(),
      due,
      id,
    ],
  )
  const { applied } = await set.batch(statements, { id, condition: turn.fence, locks: turn.locks(...keys) })
  if (!applied) throw turn.refused('backfill', keys[0]!)
}

async function writeBackfilled(set: CutOverSet): Promise<void> {
  await set.write([
    [
      `UPDATE ${CONTROL} SET backfilled_at = ? WHERE name = ? AND phase >= ?`,
      BigInt(set.now()),
      set.name,
      BigInt(numberOf('backfill')),
    ],
  ])
}
