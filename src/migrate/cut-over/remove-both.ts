import { type ErrorCode, StorageError } from '../../core/errors.ts'
import type { DeleteResult, OperationOptions } from '../../core/provider.ts'
import { type CutOverSet, isAbsent } from './cut-over-set.ts'
import { type Deleted, journalDelete, markDeleted, returnToLive } from './deleted-rows.ts'
import { type ObjectRow, objectRows } from './object-rows.ts'
import type { Side } from './phase.ts'
import type { PhaseLease } from './phase-lease.ts'

/** Answers after which the bytes are certainly untouched. Every other failure may be a lost answer. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'permission-denied',
  'unauthenticated',
  'unsupported',
  'invalid-key',
  'invalid-argument',
])
const FIRST_LOOK_MS = 1_000

/**
 * Deletes from both sides, written down first: from then on no read looks at the other side, and no copy that is under way can bring
 * an object back. The first side decides: what it refuses is live again. What the second could not do is owed, or fails the
 * delete where readers may be sent there.
 */
export async function removeBoth(
  set: CutOverSet,
  lease: PhaseLease,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<DeleteResult[]> {
  const turn = await lease.begin('delete', true)
  try {
    const { first, second, usesSecond, deletesBoth } = turn.rules
    const rows = await objectRows(set, keys)
    const op = await journalDelete(set, turn, keys)
    turn.assertHeld('delete')
    const results = await removeFrom(set, first, keys, rows, signal)
    const refused = results.flatMap(result => (isRefusal(result) ? [result.key] : []))
    await returnToLive(set, first, refused, op)
    const gone = results.flatMap(result => (result.status === 'error' ? [] : [result.key]))
    const others = new Map<string, DeleteResult>()
    if (usesSecond && gone.length > 0)
      for (const result of await removeFrom(set, second, gone, rows, signal)) others.set(result.key, result)
    const deleted = results.flatMap((result): Deleted[] =>
      isRefusal(result) ? [] : [outcomeOf(set, op, first, second, result, others.get(result.key))],
    )
    await markDeleted(set, deleted)
    return results.map(result => {
      const other = others.get(result.key)
      if (result.status === 'error' || other === undefined) return result
      if (other.status === 'error') {
        set.emit({ kind: 'owed', key: result.key, side: second, error: other.error })
        return deletesBoth ? other : result
      }
      return { key: result.key, status: bothStatuses(result.status, other.status) }
    })
  } finally {
    turn.end()
  }
}

function bothStatuses(a: 'deleted' | 'missing' | 'gone', b: 'deleted' | 'missing' | 'gone') {
  if (a === 'deleted' || b === 'deleted') return 'deleted'
  return a === 'gone' || b === 'gone' ? 'gone' : 'missing'
}

function isRefusal(result: DeleteResult): boolean {
  return result.status === 'error' && REFUSALS.has(result.error.code) && !result.error.uncertain
}

function outcomeOf(
  set: CutOverSet,
  op: string,
  first: Side,
  second: Side,
  result: DeleteResult,
  other: DeleteResult | undefined,
): Deleted {
  const gone: Side[] = []
  if (result.status !== 'error') gone.push(first)
  if (other !== undefined && other.status !== 'error') gone.push(second)
  const error = result.status === 'error' ? result.error : other?.status === 'error' ? other.error : undefined
  // The source, once retired, is the worker's business alone.
  const isLeft = first === 'to' && other === undefined && error === undefined
  const dueAt = set.now() + (isLeft ? 0 : error === undefined ? set.settings.lateMs : FIRST_LOOK_MS)
  return { key: result.key, op, gone, dueAt, error }
}

/** From one side, by the version where it keeps several: without one a delete would only hide the object. A result each, in order. */
export async function removeFrom(
  set: CutOverSet,
  side: Side,
  keys: readonly string[],
  rows: ReadonlyMap<string, ObjectRow>,
  signal?: AbortSignal,
): Promise<DeleteResult[]> {
  const store = set.side(side)
  const options = signal === undefined ? {} : { signal }
  try {
    const { versions, absent } = await versionsOf(set, side, keys, rows, options)
    const there = keys.filter(key => !absent.has(key))
    const entries = there.map(key => {
      const versionId = versions.get(key)
      return versionId === undefined ? { key } : { key, versionId }
    })
    const answers = entries.length === 0 ? [] : await store.deleteMany(entries, options)
    const results = new Map(answers.map(result => [result.key, result]))
    return keys.map(key => {
      const result = results.get(key) ?? { key, status: 'gone' as const }
      return result.status !== 'error' && result.deleteMarker ? hidden(key, store.name) : result
    })
  } catch (error) {
    const failure = set.error(error, 'delete')
    return keys.map(key => ({ key, status: 'error', error: failure }))
  }
}

/**
 * As written down, else as the store says; a bucket that keeps no versions is asked once. What is absent needs no delete, which would only
 * leave a marker where versions are kept.
 */
async function versionsOf(
  set: CutOverSet,
  side: Side,
  keys: readonly string[],
  rows: ReadonlyMap<string, ObjectRow>,
  options: OperationOptions,
): Promise<{ versions: Map<string, string>; absent: Set<string> }> {
  const store = set.side(side)
  const versions = new Map<string, string>()
  const absent = new Set<string>()
  if (!store.capabilities.versionedDelete) return { versions, absent }
  const unknown: string[] = []
  for (const key of keys) {
    const version = rows.get(key)?.versions[side]
    if (version !== undefined) versions.set(key, version)
    else unknown.push(key)
  }
  if (unknown.length === 0 || set.keepsVersions[side] === false) return { versions, absent }
  for (const result of await store.infoMany(unknown, options)) {
    if (!result.ok) {
      if (isAbsent(result.error)) absent.add(result.key)
      continue
    }
    set.keepsVersions[side] = result.value.versionId !== undefined
    if (result.value.versionId !== undefined) versions.set(result.key, result.value.versionId)
  }
  return { versions, absent }
}

function hidden(key: string, provider: string): DeleteResult {
  const error = new StorageError(
    'conflict',
    'delete: the bucket keeps versions and only hid the object; its version is not known here, so delete the versions of this key by hand',
    { operation: 'delete', key, provider, retryable: false },
  )
  return { key, status: 'error', error }
}
