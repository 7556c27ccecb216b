import { isComputed } from '../core/checksum.ts'
import type { Download } from '../core/download.ts'
import type { ObjectAttributes, Progress } from '../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../core/provider.ts'

export interface TransferOptions {
  readonly signal: AbortSignal
  readonly overwrite: boolean
  readonly onProgress: (progress: Progress) => void
  /** Told of what the destination can't keep. */
  readonly onLost: (attribute: string) => void
}

/**
 * Copies one object to another store. The bytes stream through and are verified on the way: against the checksum
 * that the source gives where it gives one, by size always. The destination shows the object only when it is whole.
 */
export async function transfer(
  source: StorageProvider,
  from: string,
  destination: StorageProvider,
  to: string,
  { signal, overwrite, onProgress, onLost }: TransferOptions,
): Promise<{ before: ObjectInfo; after: ObjectInfo }> {
  const before = await source.info(from, { signal })
  const pinned = source.capabilities.conditionalRead === true ? { ifMatch: before.etag } : {}
  const download = await source.download(from, { signal, ...pinned })
  try {
    const after = await destination.upload(to, download, {
      ...attributes(before, destination, onLost),
      signal,
      onProgress,
      size: download.info.size,
      checksum: checksum(before, download),
      ...(overwrite ? {} : { ifNoneMatch: '*' as const }),
    })
    return { before, after }
  } finally {
    download.cancel()
  }
}

/** What the body must have; where the source gives no checksum, one that the destination verifies what it got by. */
function checksum(before: ObjectInfo, download: Download) {
  const known = before.checksum ?? download.info.checksum
  if (known === undefined || known.compositeParts !== undefined || !isComputed(known.algorithm))
    return 'sha256'
  return { algorithm: known.algorithm, value: known.value }
}

function attributes(
  info: ObjectInfo,
  destination: StorageProvider,
  onLost: (attribute: string) => void,
): ObjectAttributes {
  const { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, metadata } = info
  const kept = { cacheControl, contentDisposition, contentEncoding, contentLanguage, metadata }
  const taken: ObjectAttributes = { contentType }
  for (const [name, value] of Object.entries(kept)) {
    if (value === undefined || (name === 'metadata' && Object.keys(value).length === 0)) continue
    if (destination.capabilities[name as keyof typeof kept]) Object.assign(taken, { [name]: value })
    else onLost(name)
  }
  return taken
}
