import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { Invalidator } from '../core/invalidator.ts'
import type { RecordsEvent } from './records-event.ts'

export interface RecordsOptions {
  /** Whose files these are. Default: `STOWAGE_TENANT_ID`, else `default`. */
  tenant?: string
  /**
   * The beginning of the keys that this record set owns in the bucket, ending in a slash. Default: `<tenant>/`. `''`
   * owns the whole bucket: for one tenant over objects that are there already.
   */
  root?: string
  /**
   * Whether an object that is below the root without a record becomes a file when it is first read, asked for, signed, copied, written over
   * or deleted. Each question about a key that has no record then costs a request to the store. Default: as the record set was last
   * told, by any process; in the beginning false. Give it again over another store: a cut-over asks where it was given last.
   */
  adoptMet?: boolean
  /** Milliseconds that replaced bytes, and so the URLs handed out for them, still live. Default: 15 minutes. 0: none. */
  replaceGraceMs?: number
  /** Milliseconds that a deleted file can be restored. Default: 0, deleted files are gone at once. */
  restoreMs?: number
  /**
   * Milliseconds that replaced bytes, and with them their URLs, are kept beyond their grace, and copies in trash and
   * quarantine beyond their time: as long as the oldest backup that may come back. Default: 0.
   */
  keepForBackupsMs?: number
  /** Told after a delete, a replace or a move which URLs must no longer be served. */
  cdn?: CdnOptions
  /** Milliseconds for which a silent process is believed to be alive. Default: 30 seconds. */
  leaseMs?: number
  /** Milliseconds after which a request that was given up can no longer reach the store. Default: 1 hour. */
  lateMs?: number
  /** Milliseconds that `delete` itself goes on trying before it answers `pending`. Default: 5 seconds. */
  patienceMs?: number
  /** Attempts at an effect on bytes before it is put on the stuck list. Default: 20. */
  maxAttempts?: number
  /** Milliseconds before the second attempt; each further one waits twice as long, with jitter. Default: 1 second, at most 15 minutes. */
  backoffMs?: { first?: number; most?: number }
  /**
   * Whether a store that says `missing` sees all objects. Default: true. Where row policies may hide some from this
   * credential, say false: a delete then ends only when the store confirms it.
   */
  seesEverything?: boolean
  /** Told of every failure. What it throws is dropped. */
  onEvent?: (event: RecordsEvent) => void
  /** Where `STOWAGE_TENANT_ID` is looked up. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
  /** Milliseconds of a clock that is never set. Default: `performance.now`. */
  monotonic?: () => number
  /** Waits. Default: a timer, which keeps the process alive unless it is in the background. */
  wait?: (ms: number, signal?: AbortSignal, place?: 'background') => Promise<void>
  /** 0 up to 1. Default: `Math.random`. */
  random?: () => number
  /** Makes ids: ULIDs in lower case. Default: the package `ulid`, increasing within this process. */
  newId?: () => string
  /** This process's name in leases. Default: host, process id and start, so that its end can be seen on this host. */
  owner?: string
}

export interface CdnOptions {
  readonly invalidator: Invalidator
  /** Milliseconds after which the CDN is told once more, for what it fetched meanwhile. Default: 1 minute. */
  readonly settlingMs?: number
  /** Paths counted one by one per physical key; beyond it everything under the key's path is named. Default: 32. */
  readonly maxPaths?: number
  /** The path under which a CDN keeps a URL that was handed out. Default: the URL's path, without its query. */
  readonly pathOf?: (url: URL) => string
  /** Surrogate keys or cache tags that answers for a physical key carry. Default: none. */
  readonly tagsOf?: (physical: string) => readonly string[]
}

/** What every part reads: options with their defaults. */
export type RecordsSettings = ReturnType<typeof recordsSettings>

const MINUTE = 60_000

export function recordsSettings(options: RecordsOptions) {
  assertFactoryOptions('withRecords', options, {
    tenant: 'string',
    root: 'string',
    adoptMet: 'boolean',
    replaceGraceMs: 'number',
    restoreMs: 'number',
    keepForBackupsMs: 'number',
    cdn: 'object',
    leaseMs: 'number',
    lateMs: 'number',
    patienceMs: 'number',
    maxAttempts: 'number',
    backoffMs: 'object',
    seesEverything: 'boolean',
    onEvent: 'function',
    env: 'object',
    now: 'function',
    monotonic: 'function',
    wait: 'function',
    random: 'function',
    newId: 'function',
    owner: 'string',
  })
  const { cdn, backoffMs = {} } = options
  assertFactoryOptions('withRecords: backoffMs', backoffMs, { first: 'number', most: 'number' })
  if (cdn !== undefined) assertCdn(cdn)
  const settings = {
    replaceGraceMs: options.replaceGraceMs ?? 15 * MINUTE,
    restoreMs: options.restoreMs ?? 0,
    keepForBackupsMs: options.keepForBackupsMs ?? 0,
    leaseMs: options.leaseMs ?? MINUTE / 2,
    lateMs: options.lateMs ?? 60 * MINUTE,
    patienceMs: options.patienceMs ?? 5_000,
    maxAttempts: options.maxAttempts ?? 20,
    firstBackoffMs: backoffMs.first ?? 1_000,
    mostBackoffMs: backoffMs.most ?? 15 * MINUTE,
  }
  assertAmounts('withRecords', settings)
  return {
    ...settings,
    seesEverything: options.seesEverything ?? true,
    cdn: cdn && {
      invalidator: cdn.invalidator,
      settlingMs: cdn.settlingMs ?? MINUTE,
      maxPaths: cdn.maxPaths ?? 32,
      pathOf: cdn.pathOf ?? ((url: URL) => url.pathname),
      tagsOf: cdn.tagsOf ?? (() => []),
    },
  }
}

function assertCdn(cdn: CdnOptions): void {
  const name = 'withRecords: cdn'
  assertFactoryOptions(name, cdn, {
    invalidator: 'object',
    settlingMs: 'number',
    maxPaths: 'number',
    pathOf: 'function',
    tagsOf: 'function',
  })
  if (typeof cdn.invalidator?.invalidate !== 'function')
    throw new StorageError(
      'invalid-argument',
      `${name}: invalidator must be one, such as cloudflare() of stowage/cdn returns`,
    )
  assertAmounts(name, { settlingMs: cdn.settlingMs ?? 0, maxPaths: cdn.maxPaths ?? 0 })
}

function assertAmounts(name: string, amounts: Readonly<Record<string, number>>): void {
  for (const [option, value] of Object.entries(amounts)) {
    if (Number.isFinite(value) && value >= 0) continue
    throw new StorageError('invalid-argument', `${name}: ${option} must be a number of at least 0`)
  }
}
