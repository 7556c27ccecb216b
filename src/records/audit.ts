import type { OperationOptions } from '../core/provider.ts'
import { HELD } from '../sql/engine.ts'
import { type AuditFinding, FINDING_KINDS, type FindingKind } from './audit-finding.ts'
import { auditJobs, watchBeats } from './audit-jobs.ts'
import { leftUploads, uploadsTo } from './audit-uploads.ts'
import { type ByteCounts, compareBytes, type Unrecorded } from './compare-bytes.ts'
import { assertKnownOptions } from './known-options.ts'
import { checkMarker } from './marker.ts'
import { rememberSightings } from './orphan-sightings.ts'
import type { RecordSet } from './record-set.ts'

export interface AuditOptions extends Pick<OperationOptions, 'signal'> {
  /** Told of every finding, as it is found. What it throws ends the audit. */
  onFinding?: (finding: AuditFinding) => void
  /** Told about once a page. */
  onProgress?: (progress: AuditProgress) => void
  /** Findings that the report lists; all are counted. Default: 100. */
  limit?: number
  /** Milliseconds that a job whose time has come may wait before it is a finding. Default: 1 hour. */
  staleMs?: number
  /**
   * After a backup was restored or the records moved: a person has looked at these findings, and `collect` may go on.
   * Counts where the audit ends without an error.
   */
  confirm?: boolean
}

export interface AuditProgress extends Readonly<ByteCounts> {
  readonly findings: number
  /** Records that there are in all, as the audit began. */
  readonly expectedRecords: number
}

/** What an audit found: counts are exact, the list is bounded. */
export interface AuditReport extends Readonly<ByteCounts> {
  readonly tenant: string
  /** Where in the bucket was looked; `''`: everywhere. */
  readonly root: string
  readonly epoch: number
  /** By the store's clock. */
  readonly startedAt: Date
  readonly endedAt: Date
  /** In the journal. */
  readonly jobs: number
  /** Findings of each kind. */
  readonly counts: Readonly<Record<FindingKind, number>>
  /** The first of them, at most `limit`. */
  readonly findings: readonly AuditFinding[]
  /** Nothing was found. */
  readonly clean: boolean
  readonly confirmed: boolean
}

const HOUR = 3_600_000

/**
 * Holds the store and the database against each other, both as streams in key order: memory does not grow with either.
 * Nothing is changed in the store but the marker of the record set, which is written where it is missing.
 *
 * @throws what store and database throw: an audit that did not see everything is none; `conflict` where the root is
 *   another database's
 */
export async function audit(set: RecordSet, options: AuditOptions = {}): Promise<AuditReport> {
  assertKnownOptions('audit', options, {
    onFinding: 'function',
    onProgress: 'function',
    limit: 'number',
    staleMs: 'number',
    confirm: 'boolean',
  })
  const { limit = 100, staleMs = HOUR, confirm = false, signal } = options
  assertAmount(set, 'audit', 'limit', limit)
  assertAmount(set, 'audit', 'staleMs', staleMs)
  const root = await set.root()
  const epoch = await checkMarker(set)
  const startedAt = await set.clock.now()
  const watch = await watchBeats(set, startedAt)
  const expectedRecords = await recordCount(set)
  const tally = new FindingTally(limit, options.onFinding)
  const counts: ByteCounts & { jobs: number } = { objects: 0, bytes: 0, records: 0, jobs: 0 }
  const { onFinding } = tally
  await compareBytes(set, counts, {
    root,
    signal,
    onFinding,
    async onUnrecorded(batch) {
      const at = await set.clock.now()
      await rememberSightings(
        set,
        batch.filter(({ form }) => form === 'ours'),
        at,
      )
      for (const unrecorded of batch) onFinding(unrecordedFinding(unrecorded, at))
    },
    onProgress() {
      const { objects, bytes, records } = counts
      options.onProgress?.({ objects, bytes, records, findings: tally.total, expectedRecords })
    },
  })
  await auditJobs(set, {
    watch,
    now: startedAt,
    staleMs,
    signal,
    onJob: () => void counts.jobs++,
    async onFinding(finding, job) {
      onFinding(finding)
      if (finding.kind !== 'stale-intent') return
      for await (const upload of uploadsTo(set, job.physical, signal)) onFinding(uploadFinding(upload))
    },
  })
  for await (const upload of leftUploads(set, root, startedAt - staleMs, signal))
    onFinding(uploadFinding(upload))
  const confirmed = confirm && (await confirmEpoch(set, epoch))
  return {
    tenant: set.tenant,
    root,
    epoch,
    startedAt: new Date(startedAt),
    endedAt: new Date(await set.clock.now()),
    ...counts,
    counts: tally.counts,
    findings: tally.first,
    clean: tally.total === 0,
    confirmed,
  }
}

/** Counts all findings and keeps the first. */
export class FindingTally {
  readonly counts = Object.fromEntries(FINDING_KINDS.map(kind => [kind, 0])) as Record<FindingKind, number>
  readonly first: AuditFinding[] = []
  total = 0
  readonly onFinding: (finding: AuditFinding) => void

  constructor(limit: number, told: ((finding: AuditFinding) => void) | undefined) {
    this.onFinding = finding => {
      this.counts[finding.kind]++
      this.total++
      if (this.first.length < limit) this.first.push(finding)
      told?.(finding)
    }
  }
}

export function unrecordedFinding({ object, form, sighting }: Unrecorded, at: number): AuditFinding {
  const { key, size, lastModified } = object
  return {
    kind: form === 'ours' ? 'orphan' : 'foreign-object',
    physical: key,
    size,
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(form === 'ours' || sighting ? { seenAt: new Date(sighting?.seenAt ?? at) } : {}),
  }
}

export function uploadFinding(upload: { key: string; uploadId: string; startedAt?: Date }): AuditFinding {
  const { key, uploadId, startedAt } = upload
  return {
    kind: 'unfinished-upload',
    physical: key,
    uploadId,
    ...(startedAt === undefined ? {} : { startedAt }),
  }
}

/** Remembers that this epoch's records were looked at; not where it has ended meanwhile. */
async function confirmEpoch(set: RecordSet, epoch: number): Promise<boolean> {
  const settings = set.table('settings')
  const id = `${set.newId()}:confirm`
  const { applied } = await set.batch(
    [
      [
        `INSERT INTO ${settings} (name, value) SELECT 'audited_epoch', ? WHERE ${HELD} ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        String(epoch),
        id,
      ],
    ],
    { id, condition: [`SELECT 1 FROM ${settings} WHERE name = 'epoch' AND value = ?`, String(epoch)] },
  )
  return applied
}

export async function recordCount(set: RecordSet): Promise<number> {
  const [row] = await set.query([`SELECT COUNT(*) AS records FROM ${set.table('files')}`])
  return Number(row!.records)
}

/** @throws `invalid-argument` */
export function assertAmount(set: RecordSet, operation: string, name: string, value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return
  throw set.refuse(operation, `${name} must be a number of at least 0`)
}
