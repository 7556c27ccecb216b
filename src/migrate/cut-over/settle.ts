import { mapBounded } from '../../core/batches.ts'
import type { StorageError } from '../../core/errors.ts'
import type { OperationOptions } from '../../core/options.ts'
import { infoOrNone } from './compare-sides.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import { markDeleted } from './deleted-rows.ts'
import { type ObjectRow, selectRows } from './object-rows.ts'
import { otherSide, type PhaseRules, SIDES, type Side } from './phase.ts'
import type { PhaseLease, Turn } from './phase-lease.ts'
import { removeFrom } from './remove-both.ts'
import { supplyOne } from './supply-one.ts'

export interface SettleReport {
  /** Objects copied to the side that lacked them. */
  readonly copied: number
  /** Deleted objects swept from a side. */
  readonly swept: number
  /** Tried in vain, and tried again later. */
  readonly failed: number
}

const ROUND = 100
const FIRST_BACKOFF_MS = 1_000
const MOST_BACKOFF_MS = 15 * 60_000

export interface SettleOptions extends OperationOptions {
  /** Also tries at once what was tried in vain, each once, whenever it would be due. Default false. */
  eager?: boolean
}

/** Pays what is due, until nothing is. Any number of processes may do so at once. */
export async function settle(
  set: CutOverSet,
  lease: PhaseLease,
  { eager = false, signal }: SettleOptions = {},
): Promise<SettleReport> {
  const report = { copied: 0, swept: 0, failed: 0 }
  const tried = new Set<string>()
  for (;;) {
    signal?.throwIfAborted()
    const turn = await lease.begin('settle', true)
    try {
      const rows = await claimDue(set, eager ? tried : undefined)
      if (rows.length === 0) return report
      await mapBounded(rows, set.settings.concurrency, async row => {
        const outcome = row.gone ? await sweep(set, turn, row, signal) : await supply(set, turn, row, signal)
        if (outcome !== undefined) report[outcome]++
      })
    } finally {
      turn.end()
    }
  }
}

/** Milliseconds until something is due; undefined where nothing will be. */
export async function dueInMs(set: CutOverSet): Promise<number | undefined> {
  const [row] = await set.query([`SELECT MIN(due_at) AS due FROM ${OBJECTS} WHERE name = ?`, set.name])
  return row === undefined || row.due === null ? undefined : Number(row.due) - set.now()
}

/**
 * Rows that are due, and those that failed and are not among `tried`. Whoever moves the time of a row first has it; the others see it again
 * later.
 */
async function claimDue(set: CutOverSet, tried: Set<string> | undefined): Promise<ObjectRow[]> {
  const now = BigInt(set.now())
  const early = tried === undefined ? '' : ' OR (due_at IS NOT NULL AND error IS NOT NULL)'
  const due = await selectRows(set, [`(due_at <= ?${early}) ORDER BY due_at LIMIT ?`, now, BigInt(ROUND)])
  const rows = due.filter(({ key }) => !tried?.has(key))
  if (rows.length === 0) return []
  for (const { key } of rows) tried?.add(key)
  const until = now + BigInt(set.settings.leaseMs + set.settings.secondMs)
  const { results } = await set.write(
    rows.map(row => [
      `UPDATE ${OBJECTS} SET due_at = ? WHERE name = ? AND key = ? AND op = ? AND due_at = ?`,
      until,
      set.name,
      row.key,
      row.op,
      BigInt(row.dueAt!),
    ]),
    { locks: set.locks('settle') },
  )
  return rows.filter((_, index) => results?.[index]?.changes === 1)
}

/** A deleted object: off the sides that may still have it, and once more when no request can be on its way any longer. */
async function sweep(
  set: CutOverSet,
  turn: Turn,
  row: ObjectRow,
  signal: AbortSignal | undefined,
): Promise<'swept' | 'failed'> {
  const { key, op } = row
  const sides = SIDES.filter(side => row[side] !== 'none' && isInUse(turn.rules, side))
  const isFirst = sides.some(side => row[side] === 'owed')
  const gone: Side[] = []
  let error: StorageError | undefined
  for (const side of sides) {
    turn.assertHeld('settle')
    // What has come since the first time is another version than the one that is written down.
    const known = new Map(row[side] === 'gone' ? [] : [[key, row]])
    const [result] = await removeFrom(set, side, [key], known, signal)
    if (result!.status === 'error') error = result!.error
    else gone.push(side)
  }
  const dueAt =
    error !== undefined ? backoff(set, row) : isFirst ? set.now() + set.settings.lateMs : undefined
  await markDeleted(set, [{ key, op, gone, dueAt, error }])
  return error === undefined ? 'swept' : 'failed'
}

/** Before the cut-over nobody knows the destination. After it the source is still rid of what is deleted. */
function isInUse({ phase }: PhaseRules, side: Side): boolean {
  return phase !== 'source-only' || side === 'from'
}

/** A live object: to the side that lacks it. */
async function supply(
  set: CutOverSet,
  turn: Turn,
  row: ObjectRow,
  signal: AbortSignal | undefined,
): Promise<'copied' | 'failed' | undefined> {
  const { key, op } = row
  if (!turn.rules.usesSecond || row.from === 'direct' || row.to === 'direct') {
    await setDue(set, row, undefined)
    return undefined
  }
  const options = signal === undefined ? {} : { signal }
  let lacking: Side = turn.rules.second
  try {
    const source = await sourceOf(set, turn, row, options)
    if (source === undefined) return await forgetUnwritten(set, row)
    lacking = otherSide(source)
    if (row[lacking] === 'held' && row[source] === 'held') {
      await setDue(set, row, undefined)
      return undefined
    }
    await supplyOne(set, turn, { key, op, source, signal })
    set.emit({ kind: 'settled', key, side: lacking })
    return 'copied'
  } catch (failure) {
    const error = set.error(failure, 'settle', key)
    await setDue(set, row, backoff(set, row), error)
    set.emit({ kind: 'owed', key, side: lacking, error })
    return 'failed'
  }
}

/** The side that has it: as written down, else as the stores say, where a process ended in the middle of a write. */
async function sourceOf(
  set: CutOverSet,
  { rules }: Turn,
  row: ObjectRow,
  options: { signal?: AbortSignal },
): Promise<Side | undefined> {
  const held = [rules.first, rules.second].find(side => row[side] === 'held')
  if (held !== undefined) return held
  for (const side of [rules.first, rules.second])
    if ((await infoOrNone(set.side(side), row.key, options)) !== undefined) return side
  return undefined
}

/** A write that was begun and left nothing: its row goes when no request of it can be on its way any longer. */
async function forgetUnwritten(set: CutOverSet, row: ObjectRow): Promise<undefined> {
  const isEarly = row.dueAt! > set.now()
  if (row.attempts === 0 || isEarly) {
    const dueAt = isEarly ? row.dueAt : set.now() + set.settings.lateMs
    await setDue(set, row, dueAt, set.conflict('settle', 'neither side has it', row.key))
    return
  }
  await set.write([
    [
      `DELETE FROM ${OBJECTS} WHERE name = ? AND key = ? AND op = ? AND gone = 0 AND from_state = 'owed' AND to_state = 'owed'`,
      set.name,
      row.key,
      row.op,
    ],
  ])
}

async function setDue(
  set: CutOverSet,
  { key, op }: ObjectRow,
  dueAt: number | undefined,
  error?: StorageError,
): Promise<void> {
  await set.write([
    [
      `UPDATE ${OBJECTS} SET due_at = ?, attempts = attempts + ?, error = ? WHERE name = ? AND key = ? AND op = ?`,
      dueAt === undefined ? null : BigInt(dueAt),
      error === undefined ? 0n : 1n,
      error?.message ?? null,
      set.name,
      key,
      op,
    ],
  ])
}

function backoff(set: CutOverSet, { attempts }: ObjectRow): number {
  return set.now() + Math.min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempts, 20))
}
