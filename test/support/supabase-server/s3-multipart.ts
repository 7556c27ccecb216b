/** Multipart uploads of the S3 endpoint. */
import { randomBytes } from 'node:crypto'
import { byteRange } from './byte-range.ts'
import { partsEtag, plainEtag } from './etag.ts'
import { header, sendBytes, sendHeaders } from './http-exchange.ts'
import { requireKey } from './object-keys.ts'
import { SERVICE } from './row-policies.ts'
import { requireBucket } from './s3-buckets.ts'
import { type S3Call, sendXml } from './s3-call.ts'
import { cacheControlOf, copySource, metaHeaders, mimeOf } from './s3-objects.ts'
import { failures, StorageFailure } from './storage-failure.ts'
import { iso } from './storage-state.ts'
import { requireMime } from './upload-body.ts'
import { blobFacts, commit, requireWritable, storeBlob } from './write-object.ts'
import { xmlElements, xmlText } from './xml.ts'

export interface S3Upload {
  id: string
  bucket: string
  key: string
  mimetype: string
  cacheControl: string
  userMetadata: Record<string, string>
  createdAt: number
  parts: Map<number, { bytes: Buffer; eTag: string; at: number }>
}

const SMALLEST_PART_BYTES = 5 * 1024 * 1024

const refusal = (code: string, message: string) => new StorageFailure(400, code, message, code)

export function createUpload(call: S3Call): void {
  const { state, exchange, bucket, key } = call
  requireBucket(call)
  requireKey(key)
  requireMime(mimeOf(call), state.buckets.get(bucket)?.allowedMimeTypes ?? null)
  requireWritable(state, SERVICE, bucket, key, true)
  const id = randomBytes(48).toString('base64url')
  state.s3Uploads.set(id, {
    id,
    bucket,
    key,
    mimetype: mimeOf(call),
    cacheControl: cacheControlOf(call),
    userMetadata: metaHeaders(call),
    createdAt: state.now(),
    parts: new Map(),
  })
  sendXml(exchange, 'InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id })
}

function pending({ state, exchange, bucket, key }: S3Call): S3Upload {
  const upload = state.s3Uploads.get(exchange.query.get('uploadId') ?? '')
  if (!upload || upload.bucket !== bucket || upload.key !== key)
    throw new StorageFailure(404, 'NoSuchUpload', 'Upload not found', 'NoSuchUpload')
  return upload
}

function keepPart(call: S3Call, upload: S3Upload, bytes: Buffer) {
  const number = Number(call.exchange.query.get('partNumber'))
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw refusal('InvalidArgument', 'Part number must be an integer between 1 and 10000')
  const part = { bytes, eTag: plainEtag(bytes), at: call.state.now() }
  upload.parts.set(number, part)
  return part
}

export async function uploadPart(call: S3Call): Promise<void> {
  const upload = pending(call)
  const bytes = await call.body()
  if (call.state.faults.storeDown) throw failures.storeDown()
  sendBytes(call.exchange, 200, { etag: keepPart(call, upload, bytes).eTag }, '')
}

export function copyPart(call: S3Call): void {
  const upload = pending(call)
  const from = copySource(call)
  const object = call.state.find(from.bucket, from.key)
  if (!object) throw failures.noSuchKey()
  const range = byteRange(header(call.exchange, 'x-amz-copy-source-range'), object.bytes.length, 's3')
  const part = keepPart(
    call,
    upload,
    range ? object.bytes.subarray(range.start, range.end + 1) : object.bytes,
  )
  sendXml(call.exchange, 'CopyPartResult', { ETag: part.eTag, LastModified: iso(part.at) })
}

export async function completeUpload(call: S3Call): Promise<void> {
  const { state, exchange, bucket, key } = call
  const upload = pending(call)
  const named = xmlElements((await call.body()).toString('utf8'), 'Part').map(part => ({
    number: Number(xmlText(part, 'PartNumber')),
    eTag: (xmlText(part, 'ETag') ?? '').replaceAll('"', ''),
  }))
  const chunks = named.map(({ number, eTag }, index) => {
    const part = upload.parts.get(number)
    if (part?.eTag.replaceAll('"', '') !== eTag)
      throw refusal('InvalidPart', 'One or more of the specified parts could not be found.')
    if (index > 0 && number <= (named[index - 1]?.number ?? 0))
      throw refusal('InvalidPartOrder', 'The list of parts was not in ascending order.')
    if (index < named.length - 1 && part.bytes.length < SMALLEST_PART_BYTES)
      throw refusal('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed object size.')
    return part.bytes
  })
  await storeBlob(state, bucket, key)
  const bytes = Buffer.concat(chunks)
  const object = commit(state, {
    bucketId: bucket,
    name: key,
    owner: '',
    bytes,
    blob: blobFacts(state, { ...upload, bytes, eTag: partsEtag(chunks) }),
    userMetadata: upload.userMetadata,
  })
  state.s3Uploads.delete(upload.id)
  sendXml(exchange, 'CompleteMultipartUploadResult', {
    Location: `${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: object.blob.eTag,
  })
}

export function abortUpload(call: S3Call): void {
  call.state.s3Uploads.delete(pending(call).id)
  sendHeaders(call.exchange, 204, {})
}

export function listParts(call: S3Call): void {
  const upload = pending(call)
  sendXml(call.exchange, 'ListPartsResult', {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.id,
    MaxParts: 1000,
    IsTruncated: false,
    Part: [...upload.parts]
      .sort(([a], [b]) => a - b)
      .map(([PartNumber, { bytes, eTag, at }]) => ({
        PartNumber,
        LastModified: iso(at),
        ETag: eTag,
        Size: bytes.length,
      })),
  })
}

export function listUploads(call: S3Call): void {
  requireBucket(call)
  const uploads = [...call.state.s3Uploads.values()].filter(upload => upload.bucket === call.bucket)
  sendXml(call.exchange, 'ListMultipartUploadsResult', {
    Bucket: call.bucket,
    MaxUploads: 1000,
    IsTruncated: false,
    Upload: uploads.map(upload => ({
      Key: upload.key,
      UploadId: upload.id,
      Initiated: iso(upload.createdAt),
      StorageClass: 'STANDARD',
    })),
  })
}
