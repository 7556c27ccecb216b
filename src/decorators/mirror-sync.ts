import { isComputed } from '../core/checksum.ts'
import { isStorageError, StorageError } from '../core/errors.ts'
import type { UploadOptions } from '../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../core/provider.ts'

/** What was done to a replica. `same`: nothing had to be. */
export type SyncOutcome = 'copied' | 'deleted'

/** Writers that come so often leave the rest to the last of them. */
const ROUNDS = 5
const BUFFERED_BYTES = 2 ** 20

/** What replicas keep beside the bytes, where they can. A storage class is each store's own. */
export const MIRRORED = [
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'metadata',
] as const

/**
 * Makes `key` in `replica` what it is in `primary` now: copied, or deleted. May be done again, late and in any order.
 *
 * Looks at the primary once more at its end: whoever writes to the replica last, in whichever process, sees what the others
 * have written to the primary, and does it again.
 */
export async function syncKey(
  primary: StorageProvider,
  replica: StorageProvider,
  key: string,
  signal: AbortSignal | undefined,
): Promise<SyncOutcome> {
  const given = signal === undefined ? {} : { signal }
  for (let round = 1; round <= ROUNDS; round++) {
    const copied = await copyTo(replica, key, primary, signal)
    if (copied === undefined) await replica.delete(key, given)
    const now = await infoOrNothing(primary, key, signal)
    if (sameWrite(copied, now)) return copied === undefined ? 'deleted' : 'copied'
  }
  throw new StorageError('conflict', 'mirror: the object changes faster than it can be copied', {
    key,
    provider: replica.name,
    retryable: true,
  })
}

async function copyTo(
  replica: StorageProvider,
  key: string,
  primary: StorageProvider,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo | undefined> {
  const given = signal === undefined ? {} : { signal }
  const download = await primary.download(key, given).catch(absent)
  if (download === undefined) return undefined
  const { info } = download
  try {
    // A stream is sent once; what is small can be sent again by a retry around the replica.
    const body = info.size <= BUFFERED_BYTES ? await download.bytes() : download
    await replica.upload(key, body, { ...keptOptions(info, replica), size: info.size, ...given })
    return info
  } finally {
    download.cancel()
  }
}

/** Type and attributes as the replica can keep them, and the checksum where the primary tells it of the whole. */
function keptOptions(info: ObjectInfo, replica: StorageProvider): UploadOptions {
  const { contentType, checksum } = info
  const kept = MIRRORED.filter(name => info[name] !== undefined && replica.capabilities[name])
  return {
    ...(contentType === undefined ? {} : { contentType }),
    ...Object.fromEntries(kept.map(name => [name, info[name]])),
    ...(checksum !== undefined && checksum.compositeParts === undefined && isComputed(checksum.algorithm)
      ? { checksum: { algorithm: checksum.algorithm, value: checksum.value } }
      : {}),
  }
}

function infoOrNothing(
  primary: StorageProvider,
  key: string,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo | undefined> {
  return primary.info(key, signal === undefined ? {} : { signal }).catch(absent)
}

/** A missing bucket is no missing object: nothing is deleted for it. */
function absent(error: unknown): undefined {
  if (isStorageError(error, 'not-found') && error.resource === undefined) return undefined
  throw error
}

function sameWrite(one: ObjectInfo | undefined, other: ObjectInfo | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.etag === other.etag &&
    one.size === other.size &&
    one.lastModified?.getTime() === other.lastModified?.getTime()
  )
}
