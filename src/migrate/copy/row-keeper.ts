import { isStorageError } from '../../core/errors.ts'
import type { Manifest, ManifestRow, RowChange } from '../manifest.ts'
import { OF_NO_COPY } from '../plan/compare-source.ts'
import type { CopyOutcome, CopyTask } from './copy-context.ts'
import type { KnownWork } from './copy-progress.ts'
import type { CopyFailure } from './copy-tries.ts'
import { type PaceOptions, pause } from './pace.ts'

export interface RowKeeperOptions {
  readonly sleep: PaceOptions['sleep']
  readonly signal: AbortSignal
}

const ATTEMPTS = 6
const FIRST_WAIT_MS = 100

/** Writes what becomes of objects into their rows. A database that changes its leader or is locked for a moment is waited for. */
export class RowKeeper {
  readonly #manifest: Manifest
  readonly #options: RowKeeperOptions

  constructor(manifest: Manifest, options: RowKeeperOptions) {
    this.#manifest = manifest
    this.#options = options
  }

  async keep(task: CopyTask, work: KnownWork): Promise<void> {
    task.work = work
    task.revision++
    await this.#write({ sourceKey: task.row.sourceKey, progress: JSON.stringify(work) })
  }

  async record(task: CopyTask, outcome: CopyOutcome | CopyFailure): Promise<void> {
    await this.#write(changeOf(task, outcome))
  }

  async #write(change: RowChange): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#manifest.write([change])
      } catch (error) {
        // A change that happened already happens again to the same end.
        const passes = isStorageError(error) && (error.retryable || error.code === 'pending')
        if (!passes || attempt === ATTEMPTS) throw error
        await pause(FIRST_WAIT_MS * 2 ** (attempt - 1), this.#options.sleep, this.#options.signal)
      }
    }
  }
}

function changeOf({ row, revision }: CopyTask, outcome: CopyOutcome | CopyFailure): RowChange {
  const { sourceKey } = row
  switch (outcome.kind) {
    case 'copied':
      return copiedChange(outcome.row)
    case 'gone':
      return { sourceKey, state: 'gone', ...OF_NO_COPY, progress: null, errorCode: null, errorMessage: null }
    case 'refused':
      return {
        sourceKey,
        state: 'refused',
        errorCode: 'exists',
        errorMessage: outcome.message,
        destinationEtag: outcome.stored.etag ?? null,
        destinationSize: outcome.stored.size,
        occupant: 'foreign',
        ifRevision: revision,
      }
    case 'failed':
      // Another process may have copied it meanwhile: what is copied stays copied.
      return {
        sourceKey,
        state: 'failed',
        attempts: row.attempts + outcome.attempts,
        errorCode: outcome.error.code,
        errorMessage: outcome.error.message,
        ifRevision: revision,
      }
  }
}

function copiedChange(row: ManifestRow): RowChange {
  return {
    sourceKey: row.sourceKey,
    state: 'copied',
    size: row.size,
    sourceEtag: row.sourceEtag ?? null,
    sourceModified: row.sourceModified ?? null,
    sourceChecksum: row.sourceChecksum ?? null,
    destinationChecksum: row.destinationChecksum ?? null,
    destinationSize: row.destinationSize ?? null,
    destinationEtag: row.destinationEtag ?? null,
    destinationModified: row.destinationModified ?? null,
    attributes: row.attributes ?? null,
    occupant: 'ours',
    errorCode: null,
    errorMessage: null,
    status: 'unverified',
    level: null,
    progress: null,
  }
}
