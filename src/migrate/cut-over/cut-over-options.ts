import { assertProvider } from '../../core/assert-provider.ts'
import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { Engine } from '../../sql/engine.ts'
import type { CutOverEvent } from './cut-over-event.ts'

export interface CutOverOptions {
  /** The store that is left. */
  from: StorageProvider
  /** The store that is moved to. */
  to: StorageProvider
  /** The database of the records above. Stays open: who made it closes it. */
  engine: Engine
  /** Cut-overs of several stores in one database have different names. Default `default`. */
  name?: string
  /** Milliseconds for which a phase change waits for a process that is silent. Default: 30 seconds. */
  leaseMs?: number
  /** Milliseconds between two renewals of the lease, and so until a phase change is noticed. Default: a third of `leaseMs`. */
  beatMs?: number
  /** Most milliseconds that a write waits for the second side; then it is owed. Default: 10 seconds. */
  secondMs?: number
  /** Milliseconds after which a deleted key is swept once more, for requests that were on their way. Default: 60 minutes. */
  lateMs?: number
  compareReads?: CompareReadsOptions
  /** Objects that `backfill`, `verify` and `settle` have under way at once. Default 16. */
  concurrency?: number
  /**
   * Objects from this size on are copied in parts, where the destination resumes uploads: what has arrived is not sent again after a
   * kill. Default 32 MiB.
   */
  largeObjectBytes?: number
  /** What it throws is dropped. */
  onEvent?: (event: CutOverEvent) => void
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
  /** Milliseconds of a clock that is never set. Default `performance.now`. */
  monotonic?: () => number
  /** Waits; `background` ones must not keep the process alive. */
  wait?: (ms: number, signal?: AbortSignal, kind?: 'background') => Promise<void>
  /** From 0 up to 1. Default `Math.random`. */
  random?: () => number
  /** Ids that are used once and sort by time. Default: ULIDs. */
  newId?: () => string
  /** This process, in the list of those that hold a phase. */
  owner?: string
}

/** Reads that are compared with the destination in the phase `compare-reads`, in the background. */
export interface CompareReadsOptions {
  /** Which part of the reads, 0 to 1. Default 0.05. */
  share?: number
  /** Reads both sides whole, where sizes and checksums don't tell. Default false. */
  content?: boolean
  /** Comparisons under way at once; further reads are not compared. Default 4. */
  atOnce?: number
}

export interface CutOverSettings {
  readonly name: string
  readonly leaseMs: number
  readonly beatMs: number
  readonly secondMs: number
  readonly lateMs: number
  readonly concurrency: number
  readonly largeObjectBytes: number
  readonly compare: Required<CompareReadsOptions>
}

/** All defaults filled in. @throws `invalid-argument` */
export function cutOverSettings(options: CutOverOptions): CutOverSettings {
  assertFactoryOptions('cutOver', options, {
    from: 'object',
    to: 'object',
    engine: 'object',
    name: 'string',
    leaseMs: 'number',
    beatMs: 'number',
    secondMs: 'number',
    lateMs: 'number',
    compareReads: 'object',
    concurrency: 'number',
    largeObjectBytes: 'number',
    onEvent: 'function',
    now: 'function',
    monotonic: 'function',
    wait: 'function',
    random: 'function',
    newId: 'function',
    owner: 'string',
  })
  const { from, to, engine, name = 'default', compareReads = {} } = options
  assertProvider('cutOver: from', from)
  assertProvider('cutOver: to', to)
  if (typeof engine?.batch !== 'function')
    throw refuse('engine must be one, such as sqlite() returns: the one that the records above are kept in')
  if (from.location === to.location) throw refuse('from and to are the same store; give two')
  if (from.capabilities.layers.includes('records') || to.capabilities.layers.includes('records'))
    throw refuse('records go above: withRecords(cutOver({ from, to, engine }), engine)')
  if (!/^[\w.-]{1,64}$/.test(name))
    throw refuse('name must be 1 to 64 letters, digits, dots, dashes or underscores')
  assertFactoryOptions('cutOver: compareReads', compareReads, {
    share: 'number',
    content: 'boolean',
    atOnce: 'number',
  })
  const leaseMs = options.leaseMs ?? 30_000
  const settings = {
    name,
    leaseMs,
    beatMs: options.beatMs ?? leaseMs / 3,
    secondMs: options.secondMs ?? 10_000,
    lateMs: options.lateMs ?? 60 * 60_000,
    concurrency: options.concurrency ?? 16,
    largeObjectBytes: options.largeObjectBytes ?? 32 * 2 ** 20,
    compare: { share: 0.05, content: false, atOnce: 4, ...compareReads },
  }
  for (const option of [
    'leaseMs',
    'beatMs',
    'secondMs',
    'lateMs',
    'concurrency',
    'largeObjectBytes',
  ] as const)
    if (!(Number.isFinite(settings[option]) && settings[option] > 0))
      throw refuse(`${option} must be a number above 0`)
  const { share, atOnce } = settings.compare
  if (!(share >= 0 && share <= 1)) throw refuse('compareReads.share must be a number from 0 to 1')
  if (!(Number.isInteger(atOnce) && atOnce >= 1))
    throw refuse('compareReads.atOnce must be a whole number of at least 1')
  return settings
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `cutOver: ${problem}`)
}
