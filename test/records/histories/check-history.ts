/**
 * The reference: a map from keys to generations. Each change of what readers may see must be one operation's, while it
 * was under way; each operation that says it was done must have been, once; each answer must have been true at one moment
 * between call and answer. What a caller was told is unknown (`pending`, or nothing at all) may have happened, whole.
 */
import { checkReads } from './check-reads.ts'
import { hasRow, KEYS } from './history.ts'
import { between, type HistoryLog, type LogEntry, name, type Snapshot, sha256 } from './history-log.ts'
import { match } from './match.ts'

/** A key begins to show a generation. */
interface Appearance {
  readonly key: string
  readonly generation: string
  readonly checksum: string
  readonly at: number
  readonly before: Snapshot
}

/** A key shows nothing any more: its file is hidden by a delete, or was moved away. */
interface Disappearance {
  readonly key: string
  readonly generation: string
  readonly operation: string | undefined
  readonly at: number
}

export function checkHistory(log: HistoryLog): string[] {
  const problems = [...log.problems]
  const appearances: Appearance[] = []
  const disappearances: Disappearance[] = []
  const seen = new Set<string>()
  log.snapshots.forEach((now, index) => {
    for (const key of KEYS)
      if (hasRow(key) && now.rows.has(key) !== now.live.has(key))
        problems.push(
          `at ${now.at} ${key} has ${now.rows.has(key) ? 'a row and no file' : 'a file and no row'}`,
        )
    const before = log.snapshots[index - 1]
    if (before === undefined) return
    for (const key of KEYS) {
      const [old, fresh] = [before.live.get(key), now.live.get(key)]
      if (old?.generation === fresh?.generation) continue
      if (fresh === undefined) {
        const operation = now.hidden.get(key)
        disappearances.push({ key, generation: old!.generation, operation, at: now.at })
      } else if (seen.has(`${key} ${fresh.generation}`)) {
        problems.push(...checkReturn(log, key, fresh.generation, now.at, disappearances))
      } else {
        seen.add(`${key} ${fresh.generation}`)
        appearances.push({ key, ...fresh, at: now.at, before })
      }
    }
  })
  const makers = assignAppearances(log, appearances, problems)
  checkDisappearances(log, disappearances, appearances, makers, problems)
  problems.push(...checkReads(log))
  return [...new Set(problems)]
}

/** Whose call made each appearance. */
function assignAppearances(
  log: HistoryLog,
  appearances: readonly Appearance[],
  problems: string[],
): Map<Appearance, LogEntry> {
  const makers = new Map<Appearance, LogEntry>()
  const makes = log.entries.filter(({ operation }) => targetOf(operation) !== undefined)
  for (const entry of makes) {
    if (entry.outcome.status !== 'done') continue
    const etag = entry.outcome.value
    const own = appearances.find(one => one.generation === etag)
    if (own === undefined) problems.push(`${name(entry)} says it was done, and never was`)
    else if (own.key !== targetOf(entry.operation) || own.at <= entry.invoked || own.at > entry.returned)
      problems.push(`${name(entry)} was done as ${own.key} at ${own.at}, not while it was under way`)
    else makers.set(own, entry)
    if (own !== undefined && !canMake(log, entry, own))
      problems.push(`${name(entry)} made ${own.key} of what it must not, at ${own.at}`)
  }
  const open = appearances.filter(one => !makers.has(one))
  const candidates = makes.filter(isUnknown)
  const found = match(open, candidates, (one, entry) => one.at > entry.invoked && canMake(log, entry, one))
  for (const one of open) {
    const entry = found.get(one)
    if (entry === undefined) problems.push(`nobody made ${one.key} at ${one.at}`)
    else makers.set(one, entry)
  }
  return makers
}

/** Whether an operation may have led to this, by its key, its text and its condition. */
function canMake(log: HistoryLog, entry: LogEntry, { key, checksum, at, before }: Appearance): boolean {
  const { operation, text, condition } = entry
  if (targetOf(operation) !== key) return false
  const old = before.live.get(key)
  switch (operation.do) {
    case 'upload':
      if (operation.condition === 'absent' && old !== undefined) return false
      if (operation.condition === 'unchanged' && old?.generation !== condition) return false
      return checksum === sha256(text!)
    case 'finalize':
      return checksum === sha256(text!)
    case 'copy':
      // In place nothing may come between reading and writing.
      if (operation.from === key) return old?.checksum === checksum
      return between(log, entry.invoked, at).some(
        ({ live }) => live.get(operation.from)?.checksum === checksum,
      )
    case 'move':
      return before.live.get(operation.from)?.checksum === checksum
    case 'restore':
      return (
        old === undefined &&
        log.snapshots.some(({ live, at: when }) => when < at && live.get(key)?.checksum === checksum)
      )
    default:
      return false
  }
}

function checkDisappearances(
  log: HistoryLog,
  disappearances: readonly Disappearance[],
  appearances: readonly Appearance[],
  makers: ReadonlyMap<Appearance, LogEntry>,
  problems: string[],
): void {
  const deletes = log.entries.filter(({ operation }) => keysOf(operation) !== undefined)
  const taken = new Set<string>()
  for (const entry of deletes)
    for (const { key, status, operationId } of resultsOf(entry)) {
      if (status === 'missing' || status === 'gone') {
        if (!between(log, entry.invoked, entry.returned).some(({ live }) => !live.has(key)))
          problems.push(`${name(entry)} says that ${key} was ${status}, and it was there all the time`)
        continue
      }
      // A batch whose answer is lost has no name that its caller knows: it is matched below.
      if (operationId === undefined) continue
      taken.add(operationId)
      const own = disappearances.find(one => one.operation === operationId && one.key === key)
      if (own === undefined && status === 'deleted') problems.push(`${name(entry)} never deleted ${key}`)
      if (own !== undefined && (own.at <= entry.invoked || own.at > entry.returned))
        problems.push(`${name(entry)} deleted ${key} at ${own.at}, not while it was under way`)
      if (own !== undefined && entry.condition !== undefined && own.generation !== entry.condition)
        problems.push(`${name(entry)} deleted another generation of ${key}`)
    }
  const groups = new Map<string, Disappearance[]>()
  for (const one of disappearances) {
    if (one.operation === undefined) {
      const moved = appearances.find(
        other => other.at === one.at && (makers.get(other)?.operation as { from?: string })?.from === one.key,
      )
      if (moved === undefined) problems.push(`${one.key} went at ${one.at}, and nobody moved it`)
    } else if (!taken.has(one.operation))
      groups.set(one.operation, [...(groups.get(one.operation) ?? []), one])
  }
  const open = [...groups.values()]
  const found = match(
    open,
    deletes.filter(entry => isUnknown(entry) || isRefused(entry)),
    (group, entry) =>
      group.every(
        one =>
          keysOf(entry.operation)!.includes(one.key) &&
          one.at > entry.invoked &&
          (entry.condition === undefined || entry.condition === one.generation),
      ),
  )
  for (const group of open)
    if (!found.has(group))
      problems.push(`nobody deleted ${group.map(({ key, at }) => `${key} at ${at}`).join(', ')}`)
}

/** Only a delete that the store has refused, and whose caller is told so, gives a file back. */
function checkReturn(
  log: HistoryLog,
  key: string,
  generation: string,
  at: number,
  disappearances: readonly Disappearance[],
): string[] {
  const hidden = disappearances.findLast(one => one.key === key && one.generation === generation)
  const refused = log.entries.some(
    entry =>
      keysOf(entry.operation)?.includes(key) &&
      (isRefused(entry) || !Number.isFinite(entry.returned)) &&
      entry.invoked < (hidden?.at ?? 0) &&
      at <= entry.returned,
  )
  return refused ? [] : [`${key} came back at ${at}, though no delete was refused`]
}

/** The key that shows something new when it is done. */
function targetOf(operation: LogEntry['operation']): string | undefined {
  switch (operation.do) {
    case 'upload':
    case 'finalize':
    case 'restore':
      return operation.key
    case 'copy':
    case 'move':
      return operation.to
    default:
      return undefined
  }
}

function keysOf(operation: LogEntry['operation']): readonly string[] | undefined {
  if (operation.do === 'delete') return [operation.key]
  return operation.do === 'deleteMany' ? operation.keys : undefined
}

interface DeletionResult {
  readonly key: string
  readonly status: string
  readonly operationId?: string
  readonly error?: { readonly code: string }
}

function resultsOf({ outcome }: LogEntry): readonly DeletionResult[] {
  return outcome.status === 'done' ? (outcome.value as DeletionResult[]) : []
}

function isUnknown(entry: LogEntry): boolean {
  const { outcome } = entry
  if (outcome.status === 'running') return true
  if (outcome.status === 'failed') return outcome.code === 'pending'
  return (
    keysOf(entry.operation) !== undefined && resultsOf(entry).some(({ error }) => error?.code === 'pending')
  )
}

function isRefused(entry: LogEntry): boolean {
  const { outcome } = entry
  if (outcome.status === 'failed') return outcome.code === 'permission-denied'
  return resultsOf(entry).some(({ error }) => error?.code === 'permission-denied')
}
