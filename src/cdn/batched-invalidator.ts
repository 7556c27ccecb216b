import { createHash } from 'node:crypto'
import { mapBounded } from '../core/batches.ts'
import { deadline, endedError, untilEnded } from '../core/deadline.ts'
import { type ErrorCode, StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { InvalidationResult, InvalidationTarget, Invalidator } from '../core/invalidator.ts'
import type { TokenBucket } from '../core/token-bucket.ts'
import { toStorageError } from '../core/translate.ts'
import { mostHopeful } from './most-hopeful.ts'
import type { PurgeSettings } from './purge-settings.ts'
import { assertTargets, type PurgeForms, type PurgeKind, purgesOf } from './purge-targets.ts'

/** How a vendor takes one kind of purge. */
export interface KindLimit {
  /** Values in one request. */
  readonly perRequest: number
  readonly bucket: TokenBucket
  /** Whether a request costs one token or one for each value. */
  readonly costs: 'request' | 'value'
}

export interface PurgeBatch {
  readonly kind: PurgeKind
  readonly values: readonly string[]
  /** The same for the same values under the same references, different for anything else. */
  readonly reference: string
  readonly signal: AbortSignal | undefined
}

/** What a vendor's file knows: forms, limits, and one request. Everything else is done here, once. */
export interface Vendor extends Omit<PurgeForms, 'has'> {
  readonly limits: Readonly<Partial<Record<PurgeKind, KindLimit>>>
  /** One request. The answer: what it says against single values. @throws where all of the batch failed */
  send(batch: PurgeBatch): Promise<ReadonlyMap<string, StorageError>>
  close?(): Promise<void>
}

export const NONE_FAILED: ReadonlyMap<string, StorageError> = new Map()

/** Requests under way at once. */
const CONCURRENCY = 4
const FIRST_BACKOFF_MS = 500
/** Refusals of what was asked, not of who asked: a batch is halved to find out which of its values is meant. */
const SPLITS: ReadonlySet<ErrorCode> = new Set(['invalid-argument', 'too-large'])

/** An invalidator of one vendor: cuts into batches, keeps to rates, tries again, and says of each target what became of it. */
export function batchedInvalidator(vendor: Vendor, settings: PurgeSettings): Invalidator {
  const { name } = vendor
  const forms: PurgeForms = { ...vendor, has: kind => vendor.limits[kind] !== undefined }
  return {
    name,
    async invalidate(targets, options = {}) {
      assertFactoryOptions('invalidate', options, { signal: 'object', timeoutMs: 'number' }, name)
      assertTargets(targets, name)
      const parts = targets.map(target => purgesOf(target, forms, settings.keyPath))
      const ends = deadline(options, 'invalidate', name)
      try {
        const run = new PurgeRun(vendor, settings, ends.signal)
        for (const [at, { purges }] of parts.entries())
          for (const { kind, value } of purges) run.want(kind, value, targets[at]!)
        await run.send()
        return parts.map(({ purges, error }): InvalidationResult => {
          const failure = mostHopeful(
            [error, ...purges.map(one => run.failureOf(one.kind, one.value))].filter(
              one => one !== undefined,
            ),
          )
          return failure === undefined ? { ok: true } : { ok: false, error: failure }
        })
      } finally {
        ends.clear()
      }
    },
    async close() {
      await vendor.close?.()
    },
  }
}

/** One call: what it wants, and what became of that. A value counts as done only where that was said. */
class PurgeRun {
  readonly #vendor: Vendor
  readonly #settings: PurgeSettings
  readonly #signal: AbortSignal | undefined
  /** By kind and value: the references under which it is wanted. */
  readonly #wanted = new Map<PurgeKind, Map<string, Set<string>>>()
  /** By kind and value: `undefined` where it is done. */
  readonly #outcomes = new Map<string, StorageError | undefined>()
  readonly #ownReference: string

  constructor(vendor: Vendor, settings: PurgeSettings, signal: AbortSignal | undefined) {
    this.#vendor = vendor
    this.#settings = settings
    this.#signal = signal
    this.#ownReference = settings.id()
  }

  /** What several targets have in common is sent once. */
  want(kind: PurgeKind, value: string, target: InvalidationTarget): void {
    const values = this.#wanted.get(kind) ?? new Map<string, Set<string>>()
    const references = values.get(value) ?? new Set<string>()
    references.add(target.reference ?? this.#ownReference)
    this.#wanted.set(kind, values.set(value, references))
  }

  failureOf(kind: PurgeKind, value: string): StorageError | undefined {
    const name = outcomeName(kind, value)
    return this.#outcomes.has(name) ? this.#outcomes.get(name) : this.#error('internal', 'was not sent')
  }

  /** @throws `aborted` */
  async send(): Promise<void> {
    await mapBounded(this.#batches(), CONCURRENCY, ({ kind, values }) => this.#deliver(kind, values, 1))
    if (this.#signal?.aborted && this.#ended().code === 'aborted') throw this.#ended()
  }

  *#batches(): Generator<{ kind: PurgeKind; values: string[] }> {
    for (const [kind, wanted] of this.#wanted) {
      const values = [...wanted.keys()]
      const size = this.#vendor.limits[kind]!.perRequest
      for (let at = 0; at < values.length; at += size) yield { kind, values: values.slice(at, at + size) }
    }
  }

  async #deliver(kind: PurgeKind, values: readonly string[], attempt: number): Promise<void> {
    const failures = await this.#try(kind, values)
    for (const value of values) this.#outcomes.set(outcomeName(kind, value), failures.get(value))
    const [first] = failures.values()
    if (first === undefined) return
    const meansAll = values.length > 1 && values.every(value => failures.get(value) === first)
    if (meansAll && SPLITS.has(first.code)) {
      const middle = Math.ceil(values.length / 2)
      await this.#deliver(kind, values.slice(0, middle), attempt)
      return this.#deliver(kind, values.slice(middle), attempt)
    }
    const again = values.filter(value => failures.get(value)?.retryable)
    if (again.length === 0 || attempt >= this.#settings.attempts) return
    const delayMs = this.#delay(
      attempt,
      again.map(value => failures.get(value)!),
    )
    if (delayMs > this.#settings.maxWaitMs || !(await this.#waited(delayMs))) return
    return this.#deliver(kind, again, attempt + 1)
  }

  /** One request under the vendor's rate. The answer: what failed, by value. */
  async #try(kind: PurgeKind, values: readonly string[]): Promise<ReadonlyMap<string, StorageError>> {
    const { bucket, costs } = this.#vendor.limits[kind]!
    const all = (error: StorageError) => new Map(values.map(value => [value, error]))
    if (this.#signal?.aborted) return all(this.#ended())
    const tokens = costs === 'value' ? values.length : 1
    const waitMs = bucket.take(tokens)
    if (waitMs > this.#settings.maxWaitMs) {
      bucket.giveBack(tokens)
      return all(this.#error('rate-limited', 'its rate leaves no room now', { retryAfterMs: waitMs }))
    }
    if (waitMs > 0 && !(await this.#waited(waitMs))) return all(this.#ended())
    try {
      const reference = this.#reference(kind, values)
      return await this.#vendor.send({ kind, values, reference, signal: this.#signal })
    } catch (thrown) {
      const error = toStorageError(thrown, {
        operation: 'invalidate',
        provider: this.#vendor.name,
        signal: this.#signal,
        translate: () => undefined,
      })
      if (error.code === 'rate-limited' && error.retryAfterMs !== undefined)
        bucket.closeFor(error.retryAfterMs)
      return all(error)
    }
  }

  #reference(kind: PurgeKind, values: readonly string[]): string {
    const wanted = this.#wanted.get(kind)!
    const references = new Set(values.flatMap(value => [...wanted.get(value)!]))
    const named = JSON.stringify([kind, [...values].sort(), [...references].sort()])
    return createHash('sha256').update(named).digest('hex')
  }

  #delay(attempt: number, errors: readonly StorageError[]): number {
    const asked = Math.max(...errors.map(error => error.retryAfterMs ?? 0))
    return asked + Math.round(this.#settings.random() * FIRST_BACKOFF_MS * 2 ** (attempt - 1))
  }

  /** False where the call ended meanwhile. */
  async #waited(ms: number): Promise<boolean> {
    try {
      await untilEnded(this.#settings.sleep(ms, this.#signal), this.#signal)
      return true
    } catch (error) {
      if (this.#signal?.aborted) return false
      throw error
    }
  }

  #ended(): StorageError {
    return endedError(this.#signal!, 'invalidate', this.#vendor.name)
  }

  #error(code: ErrorCode, problem: string, more: { retryAfterMs?: number } = {}): StorageError {
    const { name } = this.#vendor
    return new StorageError(code, `invalidate: ${name}: ${problem}`, {
      operation: 'invalidate',
      provider: name,
      ...more,
    })
  }
}

function outcomeName(kind: PurgeKind, value: string): string {
  return `${kind} ${value}`
}
