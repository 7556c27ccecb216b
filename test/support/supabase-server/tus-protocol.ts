/** What every request of the resumable protocol has in common: headers, refusals, permission, limits. */
import { type Exchange, header } from './http-exchange.ts'
import type { Caller } from './row-policies.ts'
import { uploadTokenOf } from './signed-tokens.ts'
import { failures } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'
import type { TusUpload } from './tus-upload.ts'
import { requireWritable } from './write-object.ts'

export const ALLOWED_HEADERS =
  'Authorization, Content-Type, Location, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, X-HTTP-Method-Override, X-Requested-With, X-Forwarded-Host, X-Forwarded-Proto, Forwarded,'
export const VERSION = { 'tus-resumable': '1.0.0' }
export const TUS_HEADERS = { ...VERSION, 'access-control-expose-headers': ALLOWED_HEADERS }
const LIFETIME_MS = 24 * 60 * 60 * 1000

export class TusRefusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface Access {
  signed: boolean
  caller: Caller
  owner: string
  upsert: boolean
}

/** Asked again on every request that writes, so `x-upsert` has to be on each of them. */
export function authorize(
  state: StorageState,
  exchange: Exchange,
  target: { bucket: string; key: string },
  access: Access,
): void {
  if (!access.signed) {
    requireWritable(state, access.caller, target.bucket, target.key, access.upsert)
    return
  }
  const token = header(exchange, 'x-signature')
  if (token === undefined) throw failures.invalidSignature('Missing x-signature header')
  const { upsert, owner } = uploadTokenOf(state, token, target.bucket, target.key)
  access.upsert = upsert
  access.owner = owner
}

export function maxBytes(state: StorageState, bucketId: string): number {
  const bucket = state.buckets.get(bucketId)
  if (!bucket) throw failures.noSuchBucket()
  return Math.min(state.limits.resumableBytes, bucket.fileSizeLimit ?? state.limits.resumableBytes)
}

export function pending(state: StorageState, id: string): TusUpload {
  const upload = state.tusUploads.get(id)
  if (!upload) throw new TusRefusal(404, 'The file for this url was not found\n')
  const unfinished = upload.length === undefined || upload.offset < upload.length
  if (unfinished && state.now() > upload.createdAt + LIFETIME_MS)
    throw new TusRefusal(410, 'The file for this url no longer exists\n')
  return upload
}

export const expiry = (upload: TusUpload): string => new Date(upload.createdAt + LIFETIME_MS).toUTCString()
