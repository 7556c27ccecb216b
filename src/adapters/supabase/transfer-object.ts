import type { Attributes, CopyRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { type Bucket, infoOf, insertOrReplace, isFailure } from './bucket.ts'
import { encodedMetadata, fieldsOf, infoOfRow } from './object-info.ts'
import { moveObject, placeNew } from './place-new.ts'
import { removeObject } from './remove-objects.ts'
import { StorageFailure } from './storage-failure.ts'

export async function copyObject(bucket: Bucket, request: CopyRequest): Promise<ObjectInfo> {
  const { from, to, attributes, ifNoneMatch, signal } = request
  const source = bucket.names.nameOf(from)
  const target = bucket.names.nameOf(to)
  return explained(bucket, source, signal, async () => {
    if (ifNoneMatch === undefined) return copyName(bucket, source, target, to, attributes, signal)
    const fill = async (name: string) => void (await copyName(bucket, source, name, to, attributes, signal))
    await placeNew(bucket, target, fill, signal)
    return infoOf(bucket, to, target, signal)
  })
}

/** A rename where that keeps the promise of `move`: onto nothing, and with the attributes as they are. */
export async function moveWithin(bucket: Bucket, request: CopyRequest): Promise<ObjectInfo> {
  const { from, to, attributes, ifNoneMatch, signal } = request
  if (from === to) return copyObject(bucket, request)
  const source = bucket.names.nameOf(from)
  const target = bucket.names.nameOf(to)
  if (!hasAny(attributes)) {
    try {
      await explained(bucket, source, signal, () => moveObject(bucket, source, target, signal))
      return await infoOf(bucket, to, target, signal)
    } catch (error) {
      if (ifNoneMatch !== undefined || !isFailure(error, 'already-exists')) throw error
    }
  }
  const info = await copyObject(bucket, request)
  await removeObject(bucket, from, signal)
  return info
}

/**
 * The server either keeps the user's metadata and ignores every given attribute, or replaces all metadata and takes
 * the others: where one is given, the metadata that is kept must be sent again.
 */
export async function copyName(
  bucket: Bucket,
  source: string,
  target: string,
  key: string,
  attributes: Attributes,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  const { contentType, cacheControl } = attributes
  const replace = hasAny(attributes)
  const metadata = attributes.metadata ?? (replace ? (await infoOf(bucket, '', source, signal)).metadata : {})
  const json = {
    bucketId: bucket.id,
    sourceKey: source,
    destinationKey: target,
    copyMetadata: !replace,
    ...(replace
      ? {
          metadata: {
            ...(contentType === undefined ? {} : { mimetype: contentType }),
            ...(cacheControl === undefined ? {} : { cacheControl }),
          },
        }
      : {}),
  }
  const row = await insertOrReplace(upsert =>
    bucket.api.json({
      method: 'POST',
      path: '/object/copy',
      headers: { ...upsert, ...(replace ? { 'x-metadata': encodedMetadata(metadata ?? {}) } : {}) },
      json,
      signal,
    }),
  )
  return infoOfRow(key, fieldsOf(row))
}

function hasAny(attributes: Attributes): boolean {
  return Object.values(attributes).some(value => value !== undefined)
}

/**
 * What can't be copied or moved is told as a missing source: where the bucket is missing, and where row policies let
 * the source be seen and not updated.
 */
async function explained<T>(
  bucket: Bucket,
  source: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StorageFailure && isFailure(error, 'not-found'))) throw error
    await infoOf(bucket, '', source, signal)
    throw new StorageError(
      'permission-denied',
      "the bucket's row policies do not allow it to this credential",
      {
        cause: error,
      },
    )
  }
}
