import { requireBody } from './body-schema.ts'
import { type Exchange, readJson, sendJson } from './http-exchange.ts'
import { requireBucketName } from './object-keys.ts'
import type { Params } from './router.ts'
import { authenticate, type Caller, ownerOf } from './row-policies.ts'
import { failures } from './storage-failure.ts'
import { type Bucket, iso, type StorageState } from './storage-state.ts'

const UNITS: Record<string, number> = { gb: 1e9, mb: 1e6, kb: 1e3, b: 1 }

/** `20MB` is 20,000,000: the units are decimal. */
function sizeLimit(value: unknown): number | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return value
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(gb|mb|kb|b)$/i.exec(String(value)) ?? []
  if (amount === undefined || unit === undefined) {
    const plain = Number(value)
    if (Number.isInteger(plain)) return plain
    throw failures.invalidFileSizeLimit()
  }
  return Number(amount) * (UNITS[unit.toLowerCase()] ?? 1)
}

const mimes = (value: unknown): string[] | null => (Array.isArray(value) ? value.map(String) : null)

function bucketRow(bucket: Bucket, withType: boolean) {
  return {
    id: bucket.id,
    name: bucket.id,
    owner: bucket.owner,
    public: bucket.public,
    ...(withType ? { type: 'STANDARD' } : {}),
    file_size_limit: bucket.fileSizeLimit,
    allowed_mime_types: bucket.allowedMimeTypes,
    created_at: iso(bucket.createdAt),
    updated_at: iso(bucket.updatedAt),
  }
}

/** No policy opens `storage.buckets` here: to all but the service role there are none. */
const isService = (caller: Caller) => caller.role === 'service_role'

function requireBucket(state: StorageState, caller: Caller, id: string): Bucket {
  const bucket = state.buckets.get(id)
  if (!bucket || !isService(caller)) throw failures.noSuchBucket()
  return bucket
}

export async function createBucket(state: StorageState, exchange: Exchange): Promise<void> {
  const body = requireBody(await readJson(exchange), {
    name: { type: 'string', required: true },
    id: { type: 'string' },
    public: { type: 'boolean' },
  })
  const caller = authenticate(exchange.headers, state)
  const name = body.name as string
  const id = (body.id as string | undefined) ?? name
  requireBucketName(id)
  if (!isService(caller)) throw failures.rowLevelSecurity()
  const fileSizeLimit = sizeLimit(body.file_size_limit)
  if (state.buckets.has(id)) throw failures.bucketExists()
  const at = state.now()
  state.buckets.set(id, {
    id,
    public: body.public === true,
    owner: ownerOf(caller),
    fileSizeLimit,
    allowedMimeTypes: mimes(body.allowed_mime_types),
    createdAt: at,
    updatedAt: at,
  })
  sendJson(exchange, { name })
}

export function listBuckets(state: StorageState, exchange: Exchange): void {
  const caller = authenticate(exchange.headers, state)
  const rows = isService(caller) ? [...state.buckets.values()] : []
  sendJson(
    exchange,
    rows.map(bucket => bucketRow(bucket, true)),
  )
}

export function getBucket(state: StorageState, exchange: Exchange, params: Params): void {
  const caller = authenticate(exchange.headers, state)
  sendJson(exchange, bucketRow(requireBucket(state, caller, params.bucket), false))
}

export async function updateBucket(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const body = requireBody(await readJson(exchange), { public: { type: 'boolean' } })
  const bucket = requireBucket(state, authenticate(exchange.headers, state), params.bucket)
  if (body.public !== undefined) bucket.public = body.public === true
  if (body.file_size_limit !== undefined) bucket.fileSizeLimit = sizeLimit(body.file_size_limit)
  if (body.allowed_mime_types !== undefined) bucket.allowedMimeTypes = mimes(body.allowed_mime_types)
  bucket.updatedAt = state.now()
  sendJson(exchange, { message: 'Successfully updated' })
}

/** The real server queues this; here the bucket is empty when the answer comes. */
export function emptyBucket(state: StorageState, exchange: Exchange, params: Params): void {
  requireBucket(state, authenticate(exchange.headers, state), params.bucket)
  for (const object of state.in(params.bucket)) state.remove(object)
  sendJson(exchange, { message: 'Empty bucket has been queued. Completion may take up to an hour.' })
}

export function deleteBucket(state: StorageState, exchange: Exchange, params: Params): void {
  requireBucket(state, authenticate(exchange.headers, state), params.bucket)
  if (state.in(params.bucket).length > 0) throw failures.bucketNotEmpty()
  state.buckets.delete(params.bucket)
  sendJson(exchange, { message: 'Successfully deleted' })
}
