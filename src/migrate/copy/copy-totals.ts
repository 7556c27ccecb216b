import type { ObjectAttributes } from '../../core/options.ts'
import type { Manifest, ManifestCounts, ManifestRow } from '../manifest.ts'
import type { MigrationEvent, OnEvent } from '../migration-event.ts'
import type { CopyOutcome } from './copy-context.ts'
import type { CopySummary } from './copy-range.ts'
import type { CopyFailure } from './copy-tries.ts'

/** Setting of the manifest: names of attributes that the destination could not keep, each with a key. JSON. */
export const LOST_ATTRIBUTES = 'lost-attributes'

/** Counts what comes of the objects, and tells it. */
export class CopyTotals {
  readonly #onEvent: OnEvent
  readonly #totalObjects: number
  readonly #totalBytes: number
  readonly #sums = { copied: 0, copiedBytes: 0, resumedBytes: 0, changed: 0, gone: 0, failed: 0, refused: 0 }
  readonly #lost = new Map<keyof ObjectAttributes, string>()
  #behind: PromiseLike<void> | undefined
  failedInARow = 0

  constructor({ byState: { planned, failed } }: ManifestCounts, onEvent: OnEvent) {
    this.#totalObjects = planned.objects + failed.objects
    this.#totalBytes = planned.bytes + failed.bytes
    this.#onEvent = onEvent
  }

  /** Objects that were to be copied when the run began. */
  get left(): number {
    return this.#totalObjects
  }

  summary(): CopySummary {
    return { ...this.#sums }
  }

  tell(event: MigrationEvent): void {
    const answer: unknown = this.#onEvent(event)
    if (typeof answer === 'object' && answer !== null) this.#behind = answer as PromiseLike<void>
  }

  /** Waits for who listens. */
  async caughtUp(): Promise<void> {
    if (this.#behind === undefined) return
    await this.#behind
    this.#behind = undefined
  }

  part(key: string, bytes: number): void {
    this.tell({ kind: 'part', key, bytes, progress: this.#progress() })
  }

  lost(key: string, names: readonly (keyof ObjectAttributes)[]): void {
    for (const attribute of names) {
      if (this.#lost.has(attribute)) continue
      this.#lost.set(attribute, key)
      this.tell({ kind: 'lost', attribute, key })
    }
  }

  /** For reports, since an event is heard only once. */
  async keepLost(manifest: Manifest): Promise<void> {
    if (this.#lost.size === 0) return
    const known = JSON.parse((await manifest.setting(LOST_ATTRIBUTES)) ?? '{}')
    await manifest.setSetting(
      LOST_ATTRIBUTES,
      JSON.stringify({ ...Object.fromEntries(this.#lost), ...known }),
    )
  }

  ended(row: ManifestRow, outcome: CopyOutcome | CopyFailure): void {
    const sums = this.#sums
    const key = row.sourceKey
    sums[outcome.kind]++
    if (outcome.kind !== 'failed') this.failedInARow = 0
    switch (outcome.kind) {
      case 'copied': {
        const { resumedBytes } = outcome
        sums.copiedBytes += outcome.row.size
        sums.resumedBytes += resumedBytes
        if (outcome.changed) {
          sums.changed++
          this.tell({ kind: 'changed', key })
        }
        const resumed = resumedBytes === 0 ? {} : { resumedBytes }
        this.tell({ kind: 'copied', row: outcome.row, ...resumed, progress: this.#progress() })
        return
      }
      case 'gone':
        this.tell({ kind: 'gone', key })
        return
      case 'refused':
        this.tell({ kind: 'refused', key, destinationKey: row.destinationKey })
        return
      case 'failed':
        this.failedInARow++
        this.tell({ kind: 'failed', row, error: outcome.error })
    }
  }

  #progress() {
    const { copied, copiedBytes, failed } = this.#sums
    return {
      copiedObjects: copied,
      copiedBytes,
      totalObjects: this.#totalObjects,
      totalBytes: this.#totalBytes,
      failed,
    }
  }
}
