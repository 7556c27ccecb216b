/** Buckets through the S3 endpoint, their listings, and deletion of many objects. */
import { sendBytes, sendHeaders } from './http-exchange.ts'
import { visible } from './list-folder.ts'
import { listPrefix } from './list-prefix.ts'
import { requireBucketName } from './object-keys.ts'
import { SERVICE } from './row-policies.ts'
import { type S3Call, sendXml } from './s3-call.ts'
import { failures, StorageFailure } from './storage-failure.ts'
import { iso } from './storage-state.ts'
import { xmlElements, xmlText } from './xml.ts'

export function requireBucket({ state, bucket }: S3Call): void {
  if (!state.buckets.has(bucket)) throw failures.noSuchBucket()
}

export function listBuckets({ state, exchange }: S3Call): void {
  const Bucket = [...state.buckets.values()].map(bucket => ({
    Name: bucket.id,
    CreationDate: iso(bucket.createdAt),
  }))
  sendXml(exchange, 'ListAllMyBucketsResult', { Buckets: { Bucket } })
}

export function createBucket({ state, exchange, bucket }: S3Call): void {
  requireBucketName(bucket)
  if (state.buckets.has(bucket)) throw failures.bucketExists()
  const at = state.now()
  const isPublic = exchange.headers['x-amz-acl'] === 'public-read'
  const limits = { fileSizeLimit: null, allowedMimeTypes: null }
  state.buckets.set(bucket, {
    id: bucket,
    public: isPublic,
    owner: '',
    ...limits,
    createdAt: at,
    updatedAt: at,
  })
  sendBytes(exchange, 200, { location: `/${bucket}` }, '')
}

export function headBucket(call: S3Call): void {
  requireBucket(call)
  sendBytes(call.exchange, 200, {}, '')
}

export function deleteBucket(call: S3Call): void {
  const { state, exchange, bucket } = call
  requireBucket(call)
  if (state.in(bucket).length > 0) throw failures.bucketNotEmpty()
  state.buckets.delete(bucket)
  sendHeaders(exchange, 204, {})
}

export function bucketFact(call: S3Call): void {
  requireBucket(call)
  if (call.exchange.query.has('versioning'))
    sendXml(call.exchange, 'VersioningConfiguration', { Status: 'Suspended', MfaDelete: 'Disabled' })
  else sendXml(call.exchange, 'LocationConstraint', { LocationConstraint: 'local' })
}

export function listObjects(call: S3Call): void {
  const { state, exchange, bucket } = call
  requireBucket(call)
  const { query } = exchange
  const isV2 = query.get('list-type') === '2'
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? undefined
  const token = query.get('continuation-token') ?? undefined
  const limit = Math.min(Number(query.get('max-keys') ?? 1000) || 1000, 1000)
  const page = listPrefix(visible(state, SERVICE, bucket), {
    prefix,
    delimiter: delimiter === '/',
    limit,
    cursor: isV2 ? token : undefined,
    startAfter: (isV2 ? query.get('start-after') : query.get('marker')) ?? undefined,
  })
  const name = (text: string) => (query.get('encoding-type') === 'url' ? encodeURIComponent(text) : text)
  sendXml(exchange, 'ListBucketResult', {
    Name: bucket,
    Prefix: prefix,
    ...(isV2 ? { ContinuationToken: token } : { Marker: query.get('marker') ?? '' }),
    Contents: page.entries.flatMap(entry =>
      entry.object
        ? [
            {
              Key: name(entry.name),
              LastModified: iso(entry.object.updatedAt),
              ETag: entry.object.blob.eTag,
              Size: entry.object.blob.size,
              StorageClass: 'STANDARD',
            },
          ]
        : [],
    ),
    IsTruncated: page.nextCursor !== undefined,
    MaxKeys: limit,
    Delimiter: delimiter,
    EncodingType: query.get('encoding-type') ?? undefined,
    ...(isV2
      ? { KeyCount: page.entries.length, NextContinuationToken: page.nextCursor }
      : { NextMarker: page.nextCursorKey }),
    CommonPrefixes: page.entries
      .filter(entry => !entry.object)
      .map(entry => ({ Prefix: name(`${entry.name}/`) })),
  })
}

/** A key that is not there is told as deleted. */
export async function deleteObjects(call: S3Call): Promise<void> {
  const { state, exchange, bucket } = call
  const body = (await call.body()).toString('utf8')
  const keys = xmlElements(body, 'Object').map(object => xmlText(object, 'Key') ?? '')
  if (keys.length === 0)
    throw new StorageFailure(400, 'InvalidParameter', 'Invalid Parameter Objects', 'InvalidParameter')
  const found = keys.flatMap(key => state.find(bucket, key) ?? [])
  if (found.length > 0 && state.faults.storeDown) throw failures.storeDown()
  for (const object of found) state.remove(object)
  sendXml(exchange, 'DeleteResult', { Deleted: keys.map(Key => ({ Key })) })
}
