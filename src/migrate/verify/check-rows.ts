/** Looks at many objects at once, in order, and writes what was found into the manifest. */
import { endedError } from '../../core/deadline.ts'
import { isStorageError, StorageError } from '../../core/errors.ts'
import { OwnSignals } from '../../core/own-signals.ts'
import { AdaptiveLimit } from '../copy/adaptive-limit.ts'
import { type Pace, type PaceOptions, pace as paceOf, pause } from '../copy/pace.ts'
import type { Manifest, ManifestRow, RowChange } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { OnEvent } from '../migration-event.ts'
import type { MigrationSettings } from '../plan/checked-settings.ts'
import { checkObject } from './check-object.ts'
import { type Finding, findingOf, OTHER_BYTES, OTHER_SOURCE_BYTES } from './finding.ts'

export interface CheckRowsOptions {
  readonly level: VerifyLevel
  /** For progress: how many will be looked at, about. */
  readonly total: number
  readonly signal: AbortSignal | undefined
  readonly onEvent: OnEvent | undefined
  /** From 0 to 1. */
  readonly random: () => number
  readonly sleep: PaceOptions['sleep']
  /** All up to this source key have been looked at, and it is written. */
  readonly onCheckpoint?: (sourceKey: string) => Promise<void>
}

/** Begun before the oldest has ended: one large object holds up no more than these. */
const AHEAD = 512
/** Rows written at once. */
const WRITTEN = 256
/** Each body that is read holds chunks in memory. */
const MOST_READ = 48
/** A store that answers nobody would fail them all, one after the other. */
const MOST_ERRORS_IN_A_ROW = 50
const FIRST_DELAY_MS = 200
/** Also where a store asks for more: MinIO asks for a minute, for each object that is rotten on its disk. */
const MOST_DELAY_MS = 30_000

const RANK: Record<VerifyLevel, number> = { attributes: 1, checksum: 2, content: 3 }

/** The higher of two. */
export function higherLevel(a: VerifyLevel, b: VerifyLevel): VerifyLevel {
  return RANK[a] >= RANK[b] ? a : b
}

/** Whether a row is known to match at this level or a higher one. */
export function isVerified(
  { status, level }: Pick<ManifestRow, 'status' | 'level'>,
  wanted: VerifyLevel,
): boolean {
  return status === 'match' && level !== undefined && RANK[level] >= RANK[wanted]
}

/** Whether a row was looked at by this level or a higher one since it was copied. */
export function isLookedAt({ level }: Pick<ManifestRow, 'level'>, wanted: VerifyLevel): boolean {
  return level !== undefined && RANK[level] >= RANK[wanted]
}

/** Whether a higher level than this has found other bytes: until it is asked again, a lower one can't say that they match. */
export function hasOtherBytes(row: ManifestRow, wanted: VerifyLevel): boolean {
  const isOther = row.errorCode === OTHER_BYTES || row.errorCode === OTHER_SOURCE_BYTES
  return isOther && RANK[row.level ?? 'content'] > RANK[wanted]
}

/** What changes of a row by a finding; undefined where nothing does. A row that a copy has changed meanwhile stays as it is. */
export function changeOf(row: ManifestRow, finding: Finding, level: VerifyLevel): RowChange | undefined {
  const { status, code, message } = finding
  if (status === 'match' && isVerified(row, level)) return undefined
  if (status === row.status && level === row.level && message === row.errorMessage) return undefined
  // Of an object that is not copied the manifest has more to say than that it is not there.
  const told = row.state === 'copied' ? { errorCode: code ?? null, errorMessage: message ?? null } : {}
  return { sourceKey: row.sourceKey, status, level, ...told, ifRevision: row.revision }
}

/**
 * @returns how many were looked at
 * @throws what ends them all: `aborted`, `unauthenticated`, a manifest that fails, a store that answers nobody
 */
export async function checkRows(
  settings: MigrationSettings,
  manifest: Manifest,
  rows: AsyncIterable<ManifestRow>,
  options: CheckRowsOptions,
): Promise<number> {
  const { level, total, signal, onEvent, onCheckpoint } = options
  const { limits } = settings
  // One that never ends by itself stands for none: each object still has its own.
  const signals = new OwnSignals(signal ?? new AbortController().signal)
  const pace = paceOf(limits, { now: settings.now, sleep: options.sleep })
  const most = limits.concurrency ?? limits.maxConcurrency
  const limit = new AdaptiveLimit({
    most: level === 'content' ? Math.min(most, MOST_READ) : most,
    ...(limits.concurrency === undefined ? {} : { least: limits.concurrency, start: limits.concurrency }),
    now: settings.now,
  })
  let checked = 0
  let errorsInARow = 0
  let waiting: { row: ManifestRow; finding: Promise<Finding> }[] = []
  const changes: RowChange[] = []
  let last: string | undefined

  const settle = async (until: number) => {
    let taken = 0
    for (; waiting.length - taken > until; taken++) {
      if (signal?.aborted) throw endedError(signal, 'verify', 'migrate')
      const { row, finding: pending } = waiting[taken]!
      const finding = await pending
      errorsInARow = finding.status === 'error' ? errorsInARow + 1 : 0
      if (errorsInARow >= MOST_ERRORS_IN_A_ROW)
        throw new StorageError(
          'unavailable',
          `verify: ${errorsInARow} objects in a row could not be looked at: ${finding.message}`,
          { operation: 'verify' },
        )
      const change = changeOf(row, finding, levelFor(row, level))
      if (change !== undefined) changes.push(change)
      last = row.sourceKey
      checked++
      await onEvent?.({
        kind: 'verified',
        key: row.sourceKey,
        status: finding.status,
        checked,
        total,
      })
      if (changes.length >= WRITTEN || checked % AHEAD === 0) await write()
    }
    waiting = waiting.slice(taken)
  }
  const write = async () => {
    await manifest.write(changes.splice(0))
    if (last !== undefined) await onCheckpoint?.(last)
  }

  try {
    for await (const row of rows) {
      const finding = signals.during(own => limited(limit, settings, row, { ...options, signal: own, pace }))
      // Told where its turn comes.
      finding.catch(() => {})
      waiting.push({ row, finding })
      if (waiting.length >= AHEAD) await settle(AHEAD / 2)
    }
    await settle(0)
  } finally {
    await Promise.allSettled(waiting.map(({ finding }) => finding))
  }
  await write()
  return checked
}

function levelFor(row: ManifestRow, wanted: VerifyLevel): VerifyLevel {
  return hasOtherBytes(row, wanted) ? (row.level ?? 'content') : wanted
}

/** One object under the limit, tried again where its store may answer later. */
async function limited(
  limit: AdaptiveLimit,
  settings: MigrationSettings,
  row: ManifestRow,
  options: CheckRowsOptions & { readonly pace: Pace },
): Promise<Finding> {
  const { signal, random, sleep } = options
  const { attempts } = settings.limits
  for (let attempt = 1; ; attempt++) {
    const slot = await limit.acquire(signal)
    try {
      const finding = await checkObject(settings, row, { ...options, level: levelFor(row, options.level) })
      slot.done(1)
      return finding
    } catch (error) {
      const finding = findingOf(error)
      if (finding === undefined || !isStorageError(error)) throw error
      if (error.code === 'rate-limited' || error.code === 'unavailable') slot.overloaded()
      else slot.failed()
      if (!error.retryable || attempt >= attempts) return finding
      const ms = FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + random() / 2)
      await pause(Math.min(MOST_DELAY_MS, Math.max(ms, error.retryAfterMs ?? 0)), sleep, signal)
    } finally {
      slot.release()
    }
  }
}
