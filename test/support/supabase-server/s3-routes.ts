/** Which function answers which S3 request. Errors carry their real status, and XML. */
import { type Exchange, header, readBytes } from './http-exchange.ts'
import {
  bucketFact,
  createBucket,
  deleteBucket,
  deleteObjects,
  headBucket,
  listBuckets,
  listObjects,
} from './s3-buckets.ts'
import { type S3Call, sendXml } from './s3-call.ts'
import {
  abortUpload,
  completeUpload,
  copyPart,
  createUpload,
  listParts,
  listUploads,
  uploadPart,
} from './s3-multipart.ts'
import { copyObject, deleteObject, getObject, putObject } from './s3-objects.ts'
import { verifiedBody, verifyRequest } from './s3-signature.ts'
import { failures, StorageFailure } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'

type Answer = (call: S3Call) => void | Promise<void>

function bucketAnswer({ method, query }: Exchange): Answer | undefined {
  if (method === 'GET' && query.has('uploads')) return listUploads
  if (method === 'GET' && (query.has('location') || query.has('versioning'))) return bucketFact
  if (method === 'GET') return listObjects
  if (method === 'HEAD') return headBucket
  if (method === 'PUT') return createBucket
  if (method === 'DELETE') return deleteBucket
  if (method === 'POST' && query.has('delete')) return deleteObjects
  return undefined
}

function objectAnswer(exchange: Exchange): Answer | undefined {
  const { method, query } = exchange
  const copies = header(exchange, 'x-amz-copy-source') !== undefined
  const ofUpload = query.has('uploadId')
  if (method === 'POST' && query.has('uploads')) return createUpload
  if (method === 'POST' && ofUpload) return completeUpload
  if (method === 'PUT' && ofUpload) return copies ? copyPart : uploadPart
  if (method === 'PUT') return copies ? copyObject : putObject
  if (method === 'DELETE') return ofUpload ? abortUpload : deleteObject
  if (method === 'GET' && ofUpload) return listParts
  if (method === 'GET' || method === 'HEAD') return getObject
  return undefined
}

export async function s3Request(state: StorageState, exchange: Exchange): Promise<void> {
  try {
    const [, bucket = '', key = ''] = /^\/s3\/?([^/]*)\/?(.*)$/.exec(exchange.path) ?? []
    const signed = verifyRequest(exchange, state.now())
    if (state.faults.databaseDown) throw failures.internal()
    const answer = bucket === '' ? listBuckets : key === '' ? bucketAnswer(exchange) : objectAnswer(exchange)
    if (!answer) throw new StorageFailure(405, 'MethodNotAllowed', 'Method not allowed', 'MethodNotAllowed')
    await answer({
      state,
      exchange,
      bucket: decodeURIComponent(bucket),
      key: decodeURIComponent(key),
      body: async () => verifiedBody(signed, await readBytes(exchange)),
    })
  } catch (error) {
    if (!(error instanceof StorageFailure)) throw error
    const Resource = exchange.path.replace(/^\/s3\//, '')
    sendXml(exchange, 'Error', { Resource, Code: error.code, Message: error.message }, error.statusCode)
  }
}
