import { memory } from '../../src/adapters/memory.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import type { UnfinishedUpload } from '../../src/core/results.ts'
import { unfinishedUploadsOf } from '../../src/core/unfinished-uploads.ts'
import { forward } from '../../src/decorators/forward.ts'
import {
  type AuditOptions,
  type AuditReport,
  type RecordedFiles,
  type RecordsOptions,
  withRecords,
} from '../../src/records/index.ts'
import type { Engine, Statement } from '../../src/sql/engine.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** Files, their store and their database, on a clock that stands still until it is set. */
export interface AuditedFiles {
  readonly files: RecordedFiles
  readonly store: StorageProvider
  readonly engine: Engine
  readonly clock: { now: number; monotonic: number }
  /** Both clocks. */
  advance(ms: number): void
  /** Uploads in parts that the store lists. */
  readonly parts: UnfinishedUpload[]
  /** Every finding as `kind key`. */
  found(options?: AuditOptions): Promise<string[]>
  sql(...statement: Statement): Promise<void>
}

export interface Setting extends RecordsOptions {
  /** What stands between the records and the store. */
  between?: (store: StorageProvider) => StorageProvider
  /** The store and database of others. */
  store?: StorageProvider
  engine?: Engine
}

/** An id whose ULID has our own form. */
export const ORPHAN_ID = '01j8z6q4n3m2k1h0g9f8e7d6c5'

export function auditedFiles({ between = store => store, ...options }: Setting = {}): AuditedFiles {
  const clock = { now: Date.UTC(2026, 0, 1), monotonic: 0 }
  const parts: UnfinishedUpload[] = []
  const { store: given, engine: givenEngine, ...records } = options
  const store = withParts(given ?? memory({ now: () => clock.now }), parts)
  const engine = givenEngine ?? sqlite({ path: ':memory:' })
  const files = withRecords(between(store), engine, {
    now: () => clock.now,
    monotonic: () => clock.monotonic,
    wait: async ms => {
      clock.now += ms
      clock.monotonic += ms
    },
    replaceGraceMs: 0,
    ...records,
  })
  return {
    files,
    store,
    engine,
    clock,
    advance(ms) {
      clock.now += ms
      clock.monotonic += ms
    },
    parts,
    async found(given) {
      return findingsOf(await files.audit(given))
    },
    async sql(...statement) {
      await engine.batch([statement])
    },
  }
}

export function findingsOf({ findings }: AuditReport): string[] {
  return findings.map(finding => {
    const { kind } = finding
    if ('job' in finding) return `${kind} ${finding.job.key}`
    return `${kind} ${'key' in finding ? finding.key : finding.physical}`
  })
}

/** A store of uploads in parts, as far as audits look at them. */
function withParts(store: StorageProvider, parts: UnfinishedUpload[]): StorageProvider {
  return forward(store, {
    capabilities: { ...store.capabilities, unfinishedUploads: true },
    unfinishedUploads: ({ prefix = '' } = {}) =>
      unfinishedUploadsOf(async function* () {
        yield parts.filter(({ key }) => key.startsWith(prefix))
      }),
    async abortUpload(key, uploadId) {
      const at = parts.findIndex(part => part.key === key && part.uploadId === uploadId)
      if (at >= 0) parts.splice(at, 1)
    },
  })
}
