import { defineProvider } from '../../core/define-provider.ts'
import type { OperationOptions, StorageProvider } from '../../core/provider.ts'
import { forward } from '../../decorators/forward.ts'
import { type BackfillOptions, type BackfillReport, backfill } from './backfill.ts'
import { changePhase } from './change-phase.ts'
import { differences, forgetDifferences } from './compare-reads.ts'
import { CutOverDriver } from './cut-over-driver.ts'
import type { CutOverOptions } from './cut-over-options.ts'
import { CutOverSet } from './cut-over-set.ts'
import { type CutOverWorker, type CutOverWorkerOptions, startCutOverWorker } from './cut-over-worker.ts'
import { type DropSourceOptions, type DropSourceReport, dropSource } from './drop-source.ts'
import type { CutOverPhase } from './phase.ts'
import { PhaseLease } from './phase-lease.ts'
import type { ReadDifference } from './read-difference.ts'
import { type SettleReport, settle } from './settle.ts'
import { type CutOverStatus, cutOverStatus } from './status.ts'
import type { CutOverVerification } from './verification.ts'
import { type VerifySidesOptions, verifySides } from './verify-sides.ts'

/** A store that is two while its objects move from one to the other, and the controls of that move. */
export interface CutOver extends StorageProvider {
  /** Where the move stands, who takes part, and what is owed. Makes no request to either store. */
  status(): Promise<CutOverStatus>
  /** To the next phase. Resolves when every process holds it. @throws `conflict`, with what is to be done first */
  advance(options?: OperationOptions): Promise<CutOverPhase>
  /** To the phase before; nothing is lost by it. @throws `conflict`, with what is to be done first */
  back(options?: OperationOptions): Promise<CutOverPhase>
  /** Copies what was at the source before. Run again, it goes on. @throws `conflict` outside the phases that have both sides */
  backfill(options?: BackfillOptions): Promise<BackfillReport>
  /** Pays what is due to either side, until nothing is. */
  settle(options?: OperationOptions): Promise<SettleReport>
  /** The same in the background, for as long as the application runs. */
  startWorker(options?: CutOverWorkerOptions): CutOverWorker
  /** Holds both sides against each other, and stores what it found. @throws `conflict` in `source-only` and `retired` */
  verify(options?: VerifySidesOptions): Promise<CutOverVerification>
  /** What compared reads have found: the last of each object, in the order of keys. */
  differences(): AsyncIterable<ReadDifference>
  forgetDifferences(): Promise<void>
  /**
   * Deletes from the source what the destination has. Without `apply` it only counts. There is no way back from it.
   *
   * @throws `conflict` outside `retired`
   */
  dropSource(options?: DropSourceOptions): Promise<DropSourceReport>
}

/**
 * A provider that an application uses while its objects move from one store to another, below its records: they make every key immutable,
 * which is what two stores can agree on. It begins as the source alone; `advance()` takes it through the phases, `back()` takes it back,
 * and every process of the application follows. No read fails on the way, nothing that was stored is lost, nothing that was deleted
 * comes back. See docs/cut-over.md.
 *
 * Closing it closes both stores. The engine stays open: `withRecords` closes it.
 *
 * @throws `invalid-argument` for unknown options, two sides that are one store, or sides with records. Methods throw `conflict` where the
 *   cut-over of this name was begun between other stores, or the other way round.
 * @example
 * ```ts
 * const engine = sqlite({ path: './records.db' })
 * const store = cutOver({ from: memory(), to: local({ root: './data' }), engine, name: 'to-disk' })
 * const files = withRecords(store, engine)
 * store.startWorker()
 * await files.upload('a/hello.txt', 'Hello')
 * await store.advance() // dual-write: from here on both stores get what is written
 * await store.advance() // backfill
 * await store.backfill()
 * ```
 */
export function cutOver(options: CutOverOptions): CutOver {
  const set = new CutOverSet(options)
  const lease = new PhaseLease(set)
  const own: Omit<CutOver, keyof StorageProvider> = {
    status: () => cutOverStatus(set),
    advance: ({ signal } = {}) => changePhase(set, lease, 1, signal),
    back: ({ signal } = {}) => changePhase(set, lease, -1, signal),
    backfill: options => backfill(set, lease, options),
    settle: ({ signal } = {}) => settle(set, lease, { eager: true, signal }),
    startWorker: options => startCutOverWorker(set, lease, options),
    verify: options => verifySides(set, lease, options),
    differences: () => differences(set),
    forgetDifferences: () => forgetDifferences(set),
    dropSource: options => dropSource(set, lease, options),
  }
  return Object.assign(forward(defineProvider(new CutOverDriver(set, lease))), own)
}
