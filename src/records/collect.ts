import { StorageError } from '../core/errors.ts'
import type { OperationOptions, UnfinishedUpload } from '../core/provider.ts'
import {
  type AuditProgress,
  assertAmount,
  FindingTally,
  recordCount,
  unrecordedFinding,
  uploadFinding,
} from './audit.ts'
import type { AuditFinding } from './audit-finding.ts'
import { leftUploads, uploadsTo } from './audit-uploads.ts'
import { type ByteCounts, compareBytes, type Unrecorded } from './compare-bytes.ts'
import { assertKnownOptions } from './known-options.ts'
import { checkMarker } from './marker.ts'
import { formOf } from './object-form.ts'
import { rememberSightings } from './orphan-sightings.ts'
import type { RecordSet } from './record-set.ts'
import { removeOrphans } from './remove-orphans.ts'

export interface CollectOptions extends Pick<OperationOptions, 'signal'> {
  /** Removes what was found. Default: false, a dry run: it only says what would go. */
  apply?: boolean
  /**
   * Milliseconds between the two times an orphan must be seen, that it must be old, and that its copy stays in
   * quarantine. Default: 24 hours.
   */
  graceMs?: number
  /** More orphans than this, and nothing is removed: then something else is wrong. At most 100,000. Default: 1,000. */
  maxOrphans?: number
  /** A greater part of the objects than this, from 0 to 1, and nothing is removed. Default: 0.01. */
  maxShare?: number
  /**
   * Nobody else stores anything below this root: what is not of our form is collected, too. Default: false, it is
   * reported and stays.
   */
  exclusive?: boolean
  /** Told of every object and upload that would go or goes. What it throws ends the run. */
  onFinding?: (finding: AuditFinding) => void
  /** Told about once a page. */
  onProgress?: (progress: AuditProgress) => void
  /** Findings that the report lists; all are counted. Default: 100. */
  limit?: number
}

export interface CollectReport extends Readonly<ByteCounts> {
  readonly tenant: string
  readonly root: string
  readonly epoch: number
  /** By the store's clock. Nothing is removed that is not a grace older than the start. */
  readonly startedAt: Date
  readonly endedAt: Date
  /** Whether it was allowed to remove anything. */
  readonly applied: boolean
  /** Objects that no record knows, that are old enough and were seen before, a grace ago. */
  readonly orphans: number
  readonly orphanBytes: number
  /** Objects that no record knows and whose grace has not passed: a later run looks at them again. */
  readonly waiting: number
  /** Objects that are not of our form, and stay. */
  readonly foreign: number
  /** Uploads in parts that were left. */
  readonly unfinished: number
  /** What is gone from its place; a copy stays in quarantine for the grace. */
  readonly removed: number
  /** Orphans that the store would not let go of yet: the journal has them, a worker goes on. */
  readonly pending: number
  readonly endedUploads: number
  /** Why nothing was removed although it was asked for. */
  readonly stopped?: { readonly reason: 'too-many' | 'foreign-record-set'; readonly message: string }
  /** The first of what goes or would go, at most `limit`. */
  readonly findings: readonly AuditFinding[]
}

const DAY = 86_400_000
const MOST_ORPHANS = 100_000
/** Beyond it one of the two clocks is wrong, and with it every age. */
const MOST_SKEW_MS = 30_000

/**
 * Removes what no record knows, by way of quarantine: orphans in our own form and left-over parts of uploads. Nothing is
 * removed before the whole list has been read without an error. A dry run unless `apply`.
 *
 * @throws what store and database throw; `conflict` where the two clocks differ by more than 30 seconds, where the root
 *   is another database's, or where an audit has to be confirmed first
 */
export async function collect(set: RecordSet, options: CollectOptions = {}): Promise<CollectReport> {
  const settings = readOptions(set, options)
  const { apply, graceMs, exclusive, limit, signal } = settings
  const root = await set.root()
  const epoch = await checkMarker(set)
  await assertConfirmed(set, epoch)
  await assertSameTime(set)
  // Before the list: what comes meanwhile is younger.
  const startedAt = await set.clock.now()
  const cutOff = startedAt - graceMs
  const expectedRecords = await recordCount(set)
  const counts: ByteCounts = { objects: 0, bytes: 0, records: 0 }
  const found = { orphans: 0, orphanBytes: 0, waiting: 0, foreign: 0, unfinished: 0 }
  const tally = new FindingTally(limit, options.onFinding)
  const ripe: Unrecorded[] = []
  let another: string | undefined
  await compareBytes(set, counts, {
    root,
    signal,
    onFinding(finding) {
      if (finding.kind === 'foreign-record-set') another ??= finding.physical
    },
    async onUnrecorded(batch) {
      const mine = batch.filter(({ form }) => form === 'ours' || exclusive)
      found.foreign += batch.length - mine.length
      await rememberSightings(set, mine, await set.clock.now())
      for (const orphan of mine) {
        if (!isRipe(orphan, cutOff)) {
          found.waiting++
          continue
        }
        found.orphans++
        found.orphanBytes += orphan.object.size
        if (ripe.length < settings.maxOrphans) ripe.push(orphan)
        tally.onFinding(unrecordedFinding(orphan, startedAt))
      }
    },
    onProgress() {
      options.onProgress?.({ ...counts, findings: tally.total, expectedRecords })
    },
  })
  const uploads: UnfinishedUpload[] = []
  for await (const upload of leftUploads(set, root, cutOff, signal)) {
    // One of unknown age may be under way.
    if (upload.startedAt === undefined || !(exclusive || formOf(root, upload.key) === 'ours')) continue
    found.unfinished++
    if (uploads.length < settings.maxOrphans) uploads.push(upload)
    tally.onFinding(uploadFinding(upload))
  }
  const stopped = whyNot(settings, counts.objects, found, another)
  const may = apply && stopped === undefined
  const removal = may
    ? await removeOrphans(set, ripe, { epoch, cutOff, keepMs: graceMs, signal })
    : { removed: 0, pending: 0 }
  return {
    tenant: set.tenant,
    root,
    epoch,
    startedAt: new Date(startedAt),
    endedAt: new Date(await set.clock.now()),
    ...counts,
    applied: may,
    ...found,
    ...removal,
    endedUploads: may ? await endUploads(set, uploads, signal) : 0,
    ...(stopped === undefined ? {} : { stopped }),
    findings: tally.first,
  }
}

type Settings = ReturnType<typeof readOptions>

function readOptions(set: RecordSet, options: CollectOptions) {
  assertKnownOptions('collect', options, {
    apply: 'boolean',
    graceMs: 'number',
    maxOrphans: 'number',
    maxShare: 'number',
    exclusive: 'boolean',
    onFinding: 'function',
    onProgress: 'function',
    limit: 'number',
  })
  const { graceMs = DAY, maxOrphans = 1000, maxShare = 0.01, limit = 100 } = options
  for (const [name, value] of Object.entries({ graceMs, maxOrphans, maxShare, limit }))
    assertAmount(set, 'collect', name, value)
  if (!Number.isInteger(maxOrphans) || maxOrphans > MOST_ORPHANS)
    throw set.refuse('collect', `maxOrphans must be a whole number up to ${MOST_ORPHANS}`)
  if (maxShare > 1) throw set.refuse('collect', 'maxShare must be a part of one, from 0 to 1')
  const { apply = false, exclusive = false, signal } = options
  return { apply, exclusive, graceMs, maxOrphans, maxShare, limit, signal }
}

/** Seen before, a grace before this run began, and as the same object; and not written since. */
function isRipe({ object, sighting }: Unrecorded, cutOff: number): boolean {
  if (sighting === undefined || sighting.seenAt > cutOff) return false
  return object.lastModified === undefined || object.lastModified.getTime() <= cutOff
}

function whyNot(
  { maxOrphans, maxShare }: Settings,
  objects: number,
  { orphans, unfinished }: { orphans: number; unfinished: number },
  another: string | undefined,
): CollectReport['stopped'] {
  if (another !== undefined)
    return {
      reason: 'foreign-record-set',
      message: `${JSON.stringify(another)} says that another record set lies below this root: its files look like orphans from here. Nothing was removed; give each database a root of its own`,
    }
  const many = (what: string) =>
    ({
      reason: 'too-many',
      message: `${what}. So many orphans mean that something else is wrong: a database that is too old, a root that is shared. Nothing was removed; look at them, then raise the limit`,
    }) as const
  if (orphans > maxOrphans) return many(`${orphans} orphans are more than maxOrphans, ${maxOrphans}`)
  if (unfinished > maxOrphans)
    return many(`${unfinished} unfinished uploads are more than maxOrphans, ${maxOrphans}`)
  if (orphans > objects * maxShare)
    return many(`${orphans} orphans among ${objects} objects are more than maxShare, ${maxShare * 100} %`)
  return undefined
}

/** @throws `conflict`; what the store's clock throws */
async function assertSameTime(set: RecordSet): Promise<void> {
  const skewMs = await set.clock.skew()
  if (Math.abs(skewMs) <= MOST_SKEW_MS) return
  set.emit({ kind: 'clock-skew', severity: 'alarm', skewMs })
  throw refuse(
    `the store's clock and this machine's differ by ${Math.round(Math.abs(skewMs) / 1000)} seconds, so ages can't be told; set the clock, then collect`,
  )
}

async function assertConfirmed(set: RecordSet, epoch: number): Promise<void> {
  if (epoch === 1) return
  const [row] = await set.query([`SELECT value FROM ${set.table('settings')} WHERE name = 'audited_epoch'`], {
    consistency: 'linearizable',
  })
  if (Number(row?.value ?? 0) === epoch) return
  throw refuse(
    `these records were restored or moved (epoch ${epoch}): what is newer than they are would look like orphans. Look at an audit and confirm it (audit({ confirm: true }), stowage audit --confirm), then collect`,
  )
}

async function endUploads(
  set: RecordSet,
  uploads: readonly UnfinishedUpload[],
  signal: AbortSignal | undefined,
): Promise<number> {
  let ended = 0
  for (const { key, uploadId } of uploads) {
    await set.provider.abortUpload(key, uploadId, { signal })
    let left = false
    for await (const upload of uploadsTo(set, key, signal)) left ||= upload.uploadId === uploadId
    if (!left) ended++
  }
  return ended
}

function refuse(problem: string): StorageError {
  return new StorageError('conflict', `collect: ${problem}`, { operation: 'collect', retryable: false })
}
