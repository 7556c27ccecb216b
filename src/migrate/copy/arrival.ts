import type { Download } from '../../core/download.ts'
import { isStorageError, StorageError } from '../../core/errors.ts'
import type { DownloadOptions, ObjectAttributes } from '../../core/options.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { ManifestRow } from '../manifest.ts'
import { attributesText, sentAttributes } from './attributes-text.ts'
import type { CopyContext, CopyOutcome, CopyTask } from './copy-context.ts'
import type { Placed } from './place-object.ts'
import { failed } from './transformed.ts'

/** What is known of an object when its head has arrived. */
export interface Arrival {
  readonly info: ObjectInfo
  /** As the destination gets them. */
  readonly attributes: ObjectAttributes
  /** It is another object than the one that was planned. */
  readonly changed: boolean
}

export function arrival(context: CopyContext, { row }: CopyTask, info: ObjectInfo): Arrival {
  const { settings } = context
  const { attributes, lost } = rewritten(() => sentAttributes(info, settings, settings.to.capabilities))
  if (lost.length > 0) context.lost(row.sourceKey, lost)
  const hasOtherEtag = row.sourceEtag !== undefined && info.etag !== undefined && info.etag !== row.sourceEtag
  return { info, attributes, changed: info.size !== row.size || hasOtherEtag }
}

function rewritten<T>(rewrite: () => T): T {
  try {
    return rewrite()
  } catch (error) {
    throw error instanceof StorageError ? error : failed('the rewriting of attributes', error)
  }
}

/** The outcome of a put. */
export function outcomeOf(
  { row }: CopyTask,
  { info, attributes, changed }: Arrival,
  { stored, isPlaced }: Placed,
  sums: Pick<ManifestRow, 'sourceChecksum' | 'destinationChecksum'>,
  resumedBytes = 0,
): CopyOutcome {
  if (!isPlaced)
    return {
      kind: 'refused',
      stored,
      message: `another object is at ${JSON.stringify(row.destinationKey)}, with other bytes; it stays (existing: 'overwrite' replaces it)`,
    }
  const copied: ManifestRow = {
    sourceKey: row.sourceKey,
    destinationKey: row.destinationKey,
    state: 'copied',
    size: info.size,
    sourceEtag: info.etag,
    sourceModified: info.lastModified?.getTime(),
    // Not of the version before, where they are not known of this one.
    sourceChecksum: sums.sourceChecksum,
    destinationChecksum: sums.destinationChecksum,
    destinationSize: stored.size,
    destinationEtag: stored.etag,
    destinationModified: stored.lastModified?.getTime(),
    attributes: attributesText(attributes),
    occupant: 'ours',
    status: 'unverified',
    attempts: row.attempts,
    place: row.place,
    revision: row.revision,
  }
  return { kind: 'copied', row: copied, changed, resumedBytes }
}

/** The source has no such object any more. */
export class SourceGone extends Error {}

/** @throws `SourceGone`; what the source throws */
export function opened(
  { settings: { from }, signal, pace }: CopyContext,
  { row }: CopyTask,
  options: DownloadOptions = {},
): Promise<Download> {
  return ofSource(async () => {
    await pace.request(signal)
    return from.download(row.sourceKey, { signal, ...options })
  })
}

/** @throws `SourceGone` instead of `not-found` */
export async function ofSource<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (isStorageError(error, 'not-found') && error.resource === undefined) throw new SourceGone()
    throw error
  }
}
