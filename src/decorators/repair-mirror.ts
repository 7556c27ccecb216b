import { assertProvider } from '../core/assert-provider.ts'
import type { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import { compareKeys } from '../core/keys.ts'
import type { ListEntry, ObjectInfo, StorageProvider } from '../core/provider.ts'
import { hasSameContent, identityOf } from '../core/same-content.ts'
import { numberSetting, refusal } from './layer.ts'
import { syncKey } from './mirror-sync.ts'

export interface RepairMirrorOptions {
  /** Only keys that begin with it. Default: all. */
  prefix?: string
  /**
   * How objects of one size are told apart. `dates`: copied again where the replica's is not younger than the primary's.
   * `content`: both are read. Default: `dates`.
   */
  compare?: 'dates' | 'content'
  /** Says what would be done and does nothing. Default: false. */
  dryRun?: boolean
  /** Objects that are compared and copied at once. Default: 8. */
  concurrency?: number
  onRepair?: (repair: MirrorRepair) => void
  signal?: AbortSignal
}

export interface MirrorRepair {
  readonly key: string
  /** `missing` and `differs` are copied, `extra` is deleted from the replica. */
  readonly reason: 'missing' | 'differs' | 'extra'
  readonly error?: StorageError
}

export interface RepairMirrorReport {
  /** Objects in the primary. */
  readonly objects: number
  readonly missing: number
  readonly differs: number
  readonly extra: number
  /** Of these so many could not be repaired. */
  readonly failed: number
}

/**
 * Makes a replica what the primary is, from the lists of both: what processes that ended, queues that lost a key and signed
 * uploads have left. Each key is asked for again before it is copied or deleted, so it may run while others write.
 *
 * @throws what the lists throw: then nothing more is done, and what was done was right
 * @example
 * ```ts
 * const replica = s3({ bucket: 'photos-replica', region: 'eu-west-1' })
 * const { missing, extra, failed } = await repairMirror(files, replica, { prefix: 'photos/' })
 * ```
 */
export async function repairMirror(
  primary: StorageProvider,
  replica: StorageProvider,
  options: RepairMirrorOptions = {},
): Promise<RepairMirrorReport> {
  assertProvider('repairMirror', primary)
  assertProvider('repairMirror: replica', replica)
  assertFactoryOptions('repairMirror', options, {
    prefix: 'string',
    compare: 'string',
    dryRun: 'boolean',
    concurrency: 'number',
    onRepair: 'function',
    signal: 'object',
  })
  const { prefix = '', compare = 'dates', dryRun = false, concurrency = 8, onRepair, signal } = options
  if (compare !== 'dates' && compare !== 'content')
    throw refusal('mirror', "compare must be 'dates' or 'content'")
  numberSetting('mirror', 'concurrency', concurrency, { least: 1, whole: true })
  const report = { objects: 0, missing: 0, differs: 0, extra: 0, failed: 0 }
  const given = { prefix, ...(signal === undefined ? {} : { signal }) }
  const running = new Set<Promise<void>>()

  for await (const [left, right] of sideBySide(primary.list(given), replica.list(given))) {
    if (left !== undefined) report.objects++
    const work = repair(left, right).finally(() => running.delete(work))
    running.add(work)
    if (running.size >= concurrency) await Promise.race(running)
  }
  await Promise.all(running)
  return report

  /** Never rejects. */
  async function repair(left: ObjectInfo | undefined, right: ObjectInfo | undefined): Promise<void> {
    const key = (left ?? right)!.key
    let reason: MirrorRepair['reason'] | undefined
    try {
      reason = await reasonOf(left, right)
      if (reason === undefined) return
      report[reason]++
      if (!dryRun) await syncKey(primary, replica, key, signal)
      onRepair?.({ key, reason })
    } catch (error) {
      report.failed++
      onRepair?.({ key, reason: reason ?? 'differs', error: error as StorageError })
    }
  }

  async function reasonOf(
    left: ObjectInfo | undefined,
    right: ObjectInfo | undefined,
  ): Promise<MirrorRepair['reason'] | undefined> {
    if (left === undefined) return 'extra'
    if (right === undefined) return 'missing'
    if (left.size !== right.size) return 'differs'
    if (compare === 'dates') return isYounger(right, left) ? undefined : 'differs'
    const identity = identityOf()
    const options = signal === undefined ? {} : { signal }
    for await (const chunk of await primary.download(left.key, options)) identity.watch(chunk)
    const stored = await replica.info(right.key, options)
    const same = await hasSameContent(identity.result(), stored, () => replica.download(right.key, options))
    return same ? undefined : 'differs'
  }
}

/** Where a store does not tell, nothing is known: copied again. */
function isYounger(one: ObjectInfo, other: ObjectInfo): boolean {
  return (
    one.lastModified !== undefined &&
    other.lastModified !== undefined &&
    one.lastModified.getTime() >= other.lastModified.getTime()
  )
}

/** Objects of both lists by key, each with its counterpart where there is one. */
async function* sideBySide(
  one: AsyncIterable<ListEntry>,
  other: AsyncIterable<ListEntry>,
): AsyncGenerator<[ObjectInfo | undefined, ObjectInfo | undefined]> {
  const [lefts, rights] = [objectsOf(one), objectsOf(other)]
  let [left, right] = [await lefts.next(), await rights.next()]
  while (!left.done || !right.done) {
    const order = left.done ? 1 : right.done ? -1 : compareKeys(left.value.key, right.value.key)
    yield [order <= 0 ? left.value! : undefined, order >= 0 ? right.value! : undefined]
    if (order <= 0) left = await lefts.next()
    if (order >= 0) right = await rights.next()
  }
}

async function* objectsOf(list: AsyncIterable<ListEntry>): AsyncGenerator<ObjectInfo, undefined> {
  for await (const entry of list) if (entry.kind === 'object') yield entry
  return undefined
}
