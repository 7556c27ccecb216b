import type { Attributes, WriteRequest } from '../../core/driver.ts'
import type { StorageError } from '../../core/errors.ts'
import type { CopyOptions, OperationOptions, UploadOptions } from '../../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import { carry } from './carry.ts'
import { type CutOverSet, isAbsent } from './cut-over-set.ts'
import { OBJECTS } from './cut-over-tables.ts'
import { infoOf } from './info-of.ts'
import { isMutable, isStaging } from './key-kinds.ts'
import { mayHold, objectRow } from './object-rows.ts'
import { otherSide, type Side } from './phase.ts'
import type { PhaseLease, Turn } from './phase-lease.ts'
import { journalWrite, markWritten, type Written, wasDeleted } from './written-rows.ts'

/** Milliseconds until the worker looks at what was just refused. */
const FIRST_LOOK_MS = 1_000

/** How an object comes to a store: the first side by the call itself, the second by the same bytes or from the first. */
interface Bringing {
  readonly key: string
  readonly operation: 'upload' | 'copy'
  first(store: StorageProvider, side: Side): Promise<ObjectInfo>
  second(store: StorageProvider, limits: OperationOptions): Promise<ObjectInfo>
}

/** Stores a body on the sides that the phase has: the first must succeed, what the second lacks is owed. */
export function writeBoth(set: CutOverSet, lease: PhaseLease, request: WriteRequest): Promise<ObjectInfo> {
  const { key, body, attributes, checksum, signal } = request
  const options: UploadOptions = {
    ...attributesFor(attributes),
    ...(body.size === undefined ? {} : { size: body.size }),
    ...(signal && { signal }),
  }
  const sum =
    checksum?.expected === undefined
      ? checksum?.algorithm
      : { algorithm: checksum.algorithm, value: checksum.expected }
  const whole = body.bytes
  let first: StorageProvider
  return bring(set, lease, {
    key,
    operation: 'upload',
    async first(store) {
      first = store
      const info = await store.upload(
        key,
        whole ?? body.chunks(),
        sum === undefined ? options : { ...options, checksum: sum },
      )
      if (whole !== undefined) body.sent(whole.length)
      return info
    },
    // A stream is over when the first side has it: the second reads it from there, so that memory stays flat.
    second: async (store, limits) =>
      whole === undefined
        ? (await carry(first, store, key, limits)).info
        : store.upload(key, whole, { ...attributesFor(attributes), ...limits }),
  })
}

export interface CopyingRequest {
  readonly from: string
  readonly to: string
  readonly attributes: Attributes
  readonly signal: AbortSignal | undefined
}

/** Copies within each side where it has the source, else from side to side. */
export function copyBoth(set: CutOverSet, lease: PhaseLease, request: CopyingRequest): Promise<ObjectInfo> {
  const { from, to, attributes, signal } = request
  const options: CopyOptions = { ...attributesFor(attributes), ...(signal && { signal }) }
  let first: StorageProvider
  return bring(set, lease, {
    key: to,
    operation: 'copy',
    async first(store, side) {
      first = store
      try {
        return await store.copy(from, to, options)
      } catch (error) {
        if (!isAbsent(error)) throw error
        const other = otherSide(side)
        if (!mayHold(await objectRow(set, from), other)) throw error
        return (
          await carry(set.side(other), store, from, { ...(signal && { signal }), target: to, attributes })
        ).info
      }
    },
    async second(store, limits) {
      const row = isStaging(from) ? undefined : await objectRow(set, from)
      const side: Side = store === set.side('from') ? 'from' : 'to'
      if (row?.[side] === 'held') return store.copy(from, to, { ...attributesFor(attributes), ...limits })
      return (await carry(first, store, to, limits)).info
    },
  })
}

async function bring(set: CutOverSet, lease: PhaseLease, bringing: Bringing): Promise<ObjectInfo> {
  const turn = await lease.begin(bringing.operation, true)
  try {
    return turn.rules.journals ? await bringTwice(set, turn, bringing) : await bringOnce(set, turn, bringing)
  } finally {
    turn.end()
  }
}

async function bringTwice(set: CutOverSet, turn: Turn, bringing: Bringing): Promise<ObjectInfo> {
  const { key, operation } = bringing
  const { first, second, usesSecond } = turn.rules
  const overwrites = isMutable(key)
  const { op, before } = await journalWrite(set, turn, key, { isMutable: overwrites })
  turn.assertHeld(operation)
  const began = set.monotonic()
  const info = await bringing.first(set.side(first), first)
  let held: Written['held'] = { [first]: { versionId: info.versionId } }
  let error: StorageError | undefined
  if (usesSecond)
    try {
      turn.assertHeld(operation)
      // What took long once takes long twice.
      const timeoutMs = Math.ceil(set.settings.secondMs + 2 * (set.monotonic() - began))
      const copy = await bringing.second(set.side(second), { timeoutMs })
      held = { ...held, [second]: { versionId: copy.versionId } }
    } catch (failure) {
      error = set.error(failure, operation, key)
      set.emit({ kind: 'owed', key, side: second, error })
    }
  const dueAt = error === undefined ? undefined : set.now() + FIRST_LOOK_MS
  const refused = await markWritten(set, turn, [{ key, op, held, dueAt, error }])
  // Deleted while it was written: the worker sweeps the key again, and nobody may publish it.
  if (refused.length > 0) throw wasDeleted(set, key)
  // Of what is written over the second side has the old bytes, which nobody must take for the new ones.
  if (error !== undefined && overwrites && mayHold(before, second)) throw error
  return infoOf(info, turn.rules)
}

/** Before the cut-over nothing is written down: what is at the source alone is found there by the backfill. */
async function bringOnce(set: CutOverSet, turn: Turn, bringing: Bringing): Promise<ObjectInfo> {
  const { key, operation } = bringing
  const { first } = turn.rules
  turn.assertHeld(operation)
  const info = await bringing.first(set.side(first), first)
  const [sql, ...parameters] = turn.fence
  const facts = await set.query([
    `SELECT 'held' AS fact FROM (${sql}) AS fence UNION ALL SELECT 'gone' AS fact FROM ${OBJECTS} WHERE name = ? AND key = ? AND gone = 1`,
    ...parameters,
    set.name,
    key,
  ])
  // The backfill may have passed this key by.
  if (!facts.some(({ fact }) => fact === 'held')) throw turn.refused(operation, key)
  if (!facts.some(({ fact }) => fact === 'gone')) return infoOf(info, turn.rules)
  if (!isMutable(key)) {
    await set.side(first).delete(key)
    throw wasDeleted(set, key)
  }
  await set.write([[`DELETE FROM ${OBJECTS} WHERE name = ? AND key = ? AND gone = 1`, set.name, key]])
  return infoOf(info, turn.rules)
}

function attributesFor({ metadata, ...headers }: Attributes): Omit<CopyOptions, keyof OperationOptions> {
  return { ...headers, ...(metadata === undefined ? {} : { metadata: { ...metadata } }) }
}
