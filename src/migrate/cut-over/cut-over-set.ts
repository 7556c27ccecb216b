import { setTimeout as timer } from 'node:timers/promises'
import { isStorageError, StorageError } from '../../core/errors.ts'
import { isElsewhere, shownLocation } from '../../core/location.ts'
import { PROCESS_OWNER } from '../../core/process-owner.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { idFactory } from '../../records/new-id.ts'
import type { BatchOptions, BatchResult, Engine, QueryOptions, Row, Statement } from '../../sql/engine.ts'
import { Budget } from '../copy/budget.ts'
import type { CutOverEvent } from './cut-over-event.ts'
import { type CutOverOptions, type CutOverSettings, cutOverSettings } from './cut-over-options.ts'
import { CONTROL, cutOverTables } from './cut-over-tables.ts'
import type { Side } from './phase.ts'

/** One cut-over: its two stores, its rows, and what all parts share about them. */
export class CutOverSet {
  readonly settings: CutOverSettings
  readonly engine: Engine
  readonly owner: string
  readonly now: () => number
  readonly monotonic: () => number
  readonly random: () => number
  readonly newId: () => string
  /** A wait that does not keep the process alive. */
  readonly rest: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>
  /** What is being copied from side to side in this process: a backfill and a worker may want the same. */
  readonly supplying = new Map<string, Promise<'copied' | 'deleted'>>()
  /** Large objects under way at once: each holds its parts in memory. */
  readonly large = new Budget(2)
  /** Whether the bucket of a side keeps versions, where an answer has told. */
  readonly keepsVersions: Partial<Record<Side, boolean>> = {}
  readonly #sides: Readonly<Record<Side, StorageProvider>>
  readonly #onEvent: CutOverOptions['onEvent']
  #ready: Promise<void> | undefined

  constructor(options: CutOverOptions) {
    this.settings = cutOverSettings(options)
    const { from, to, engine, now = Date.now, wait } = options
    this.#sides = { from, to }
    this.#onEvent = options.onEvent
    this.engine = engine
    this.owner = options.owner ?? PROCESS_OWNER
    this.now = now
    this.monotonic = options.monotonic ?? (() => performance.now())
    this.random = options.random ?? Math.random
    this.newId = options.newId ?? idFactory(now)
    this.rest = (ms, signal) =>
      wait?.(ms, signal, 'background') ?? timer(ms, undefined, { signal, ref: false })
    this.wait = (ms, signal) => wait?.(ms, signal) ?? timer(ms, undefined, { signal })
  }

  get name(): string {
    return this.settings.name
  }

  side(side: Side): StorageProvider {
    return this.#sides[side]
  }

  /** Sees to it, once, that the tables and the cut-over are there. A failure is not remembered. */
  ready(): Promise<void> {
    this.#ready ??= this.#prepare().catch(error => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }

  async #prepare(): Promise<void> {
    const { engine, name } = this
    const [from, to] = [this.side('from').location, this.side('to').location]
    await engine.batch(cutOverTables(engine.types), {
      id: `${this.newId()}:tables`,
      locks: ['stowage_cut_overs'],
      durable: true,
    })
    await this.write([
      [
        `INSERT INTO ${CONTROL} (name, phase, changes, from_location, to_location, dropped, created_at) VALUES (?, 0, 0, ?, ?, 0, ?) ON CONFLICT (name) DO NOTHING`,
        name,
        from,
        to,
        BigInt(this.now()),
      ],
    ])
    const control = await this.control()
    // A typing error would copy everything to another place, find that all of it matches, and delete the source.
    const { fromLocation, toLocation } = control
    const isTurned = fromLocation === to || toLocation === from
    if (isTurned || isElsewhere(fromLocation, from) || isElsewhere(toLocation, to))
      throw this.conflict(
        'cutOver',
        `${JSON.stringify(name)} goes from ${shownLocation(fromLocation)} to ${shownLocation(toLocation)}, and these stores are ${shownLocation(from)} and ${shownLocation(to)}; give the same, the same way round (storeName says that a server is one and the same under another address), or another name for another cut-over`,
      )
  }

  /** A batch that is on disk before it is answered, and happens only where `condition` gives a row. */
  async batch(
    statements: readonly Statement[],
    options: BatchOptions & { readonly id: string },
  ): Promise<BatchResult> {
    return this.engine.batch(statements, { guard: 'data', durable: true, ...options })
  }

  /** An unguarded batch that happens once: an answer that was lost is asked for. */
  write(statements: readonly Statement[], options: BatchOptions = {}): Promise<BatchResult> {
    return this.engine.batch(statements, { id: `${this.newId()}:cut-over`, durable: true, ...options })
  }

  query(
    statement: Statement,
    options: QueryOptions = { consistency: 'linearizable' },
  ): Promise<readonly Row[]> {
    return this.engine.query(statement, options)
  }

  /** The state of the cut-over as a whole, as it is now. */
  async control(): Promise<Control> {
    const [row] = await this.query([`SELECT * FROM ${CONTROL} WHERE name = ?`, this.name])
    if (row === undefined)
      throw this.conflict('cutOver', `${JSON.stringify(this.name)} is no cut-over of this database any more`)
    return {
      phase: Number(row.phase),
      changes: Number(row.changes),
      fromLocation: String(row.from_location),
      toLocation: String(row.to_location),
      backfilledAt: row.backfilled_at === null ? undefined : Number(row.backfilled_at),
      verification: row.verification === null ? undefined : String(row.verification),
      dropped: row.dropped === 1n,
    }
  }

  /** What batches about one thing of this cut-over have in common. */
  locks(...names: readonly string[]): string[] {
    return names.map(name => `stowage_cut_over:${this.name}:${name}`)
  }

  emit(event: CutOverEvent): void {
    try {
      this.#onEvent?.(event)
    } catch {
      // A listener that fails must not fail what it listens to.
    }
  }

  error(error: unknown, operation: string, key?: string): StorageError {
    if (isStorageError(error)) return error
    const message = `${operation}: ${(error as Error)?.message ?? 'failed'}`
    return new StorageError('internal', message, {
      operation,
      key,
      provider: this.side('from').name,
      cause: error,
    })
  }

  conflict(operation: string, problem: string, key?: string): StorageError {
    return new StorageError('conflict', `${operation}: ${problem}`, { operation, key, retryable: false })
  }
}

export interface Control {
  /** By its number. */
  readonly phase: number
  /** Changes of the phase so far. */
  readonly changes: number
  readonly fromLocation: string
  readonly toLocation: string
  /** Since the last stay in `source-only`. */
  readonly backfilledAt: number | undefined
  /** The last verification, as JSON. */
  readonly verification: string | undefined
  /** Whether dropping the source has begun: there is no way back. */
  readonly dropped: boolean
}

export function placeholders(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

export function chunked<Item>(items: readonly Item[], size: number): Item[][] {
  const chunks: Item[][] = []
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size))
  return chunks
}

/** Whether the store says that there is no such object; a missing bucket is something else. */
export function isAbsent(error: unknown): boolean {
  return isStorageError(error, 'not-found') && error.resource === undefined
}
