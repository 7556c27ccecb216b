import { isStorageError, StorageError } from '../../core/errors.ts'
import type { MigrationEvent } from '../migration-event.ts'
import type { Slot } from './adaptive-limit.ts'
import type { CopyContext, CopyOutcome, CopyTask } from './copy-context.ts'
import { bytesHeld, copyObject, goesInParts } from './copy-object.ts'
import { type PaceOptions, pause } from './pace.ts'
import { workOf } from './work-of.ts'

/** The first wait is random between 0 and this; it doubles with each try. */
const FIRST_WAIT_MS = 300
const MOST_WAIT_MS = 30_000

export interface TriesOptions {
  readonly sleep: PaceOptions['sleep']
  /** From 0 to 1. */
  readonly random: () => number
  readonly onRetry: (event: MigrationEvent) => void
}

/** An object that was given up, and how often it was tried. */
export interface CopyFailure {
  readonly kind: 'failed'
  readonly error: StorageError
  readonly attempts: number
}

/**
 * All tries at one object. Waits grow and are random; what a store asks to wait is kept.
 *
 * @throws what no other object would survive: an abort, credentials that are refused, a bucket that is not there
 */
export async function copyTries(
  context: CopyContext,
  task: CopyTask,
  options: TriesOptions,
): Promise<CopyOutcome | CopyFailure> {
  const { attempts } = context.settings.limits
  for (let attempt = 1; ; attempt++) {
    try {
      return await oneTry(context, task)
    } catch (error) {
      if (!(error instanceof StorageError) || isFatal(error) || context.signal.aborted) throw error
      if (attempt >= attempts || !isWorthAnother(error)) return { kind: 'failed', error, attempts: attempt }
      const delayMs = waitOf(error, attempt, options.random)
      options.onRetry({ kind: 'retry', key: task.row.sourceKey, attempt: attempt + 1, delayMs, error })
      await pause(delayMs, options.sleep, context.signal)
    }
  }
}

/** With the memory and the slot that it needs. Parts of a large object take theirs themselves. */
async function oneTry(context: CopyContext, task: CopyTask): Promise<CopyOutcome> {
  const { budget, large, limit, signal } = context
  const { size } = task.row
  if (goesInParts(size, context)) {
    const leave = await large.take(1, signal)
    try {
      return await copyObject(context, task)
    } finally {
      leave()
    }
  }
  const giveBack = await budget.take(bytesHeld(size, context), signal)
  let slot: Slot | undefined
  try {
    slot = await limit.acquire(signal)
    const outcome = await copyObject(context, task)
    slot.done(workOf(size))
    return outcome
  } catch (error) {
    note(slot, error)
    throw error
  } finally {
    slot?.release()
    giveBack()
  }
}

function note(slot: Slot | undefined, error: unknown): void {
  if (isStorageError(error, 'rate-limited')) slot?.overloaded()
  else if (isStorageError(error, 'unavailable', 'timeout')) slot?.failed()
}

function isFatal(error: StorageError): boolean {
  return error.code === 'unauthenticated' || error.resource === 'bucket'
}

function isWorthAnother(error: StorageError): boolean {
  // Bytes that were changed on their way come right the next time.
  return error.retryable || error.code === 'checksum-mismatch'
}

function waitOf(error: StorageError, attempt: number, random: () => number): number {
  const most = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1))
  return Math.round(Math.min(MOST_WAIT_MS, error.retryAfterMs ?? 0) + random() * most)
}
