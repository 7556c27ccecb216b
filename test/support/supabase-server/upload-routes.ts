/** POST and PUT of an object, and PUT to a signed upload URL. */
import { type Exchange, sendJson, wantsUpsert } from './http-exchange.ts'
import { requireKey } from './object-keys.ts'
import type { Params } from './router.ts'
import { authenticate, type Caller, ownerOf, SERVICE } from './row-policies.ts'
import { uploadTokenOf } from './signed-tokens.ts'
import { failures } from './storage-failure.ts'
import type { StorageState, StoredObject } from './storage-state.ts'
import { rulesOf, uploadBody } from './upload-body.ts'
import { blobFacts, commit, requireWritable, storeBlob } from './write-object.ts'

interface Upload {
  bucketId: string
  name: string
  caller: Caller
  owner: string
  upsert: boolean
}

async function upload(state: StorageState, exchange: Exchange, target: Upload): Promise<StoredObject> {
  const { bucketId, name } = target
  const bucket = state.buckets.get(bucketId)
  if (!bucket) throw failures.noSuchBucket()
  requireKey(name)
  const body = await uploadBody(exchange, rulesOf(bucket, name, state.limits.standardBytes))
  requireWritable(state, target.caller, bucketId, name, target.upsert)
  const bytes = await body.read()
  await storeBlob(state, bucketId, name)
  return commit(state, {
    bucketId,
    name,
    owner: target.owner,
    bytes,
    blob: blobFacts(state, { ...body, bytes }),
    userMetadata: body.userMetadata,
  })
}

/** POST creates, or overwrites with `x-upsert`; PUT does both without asking. */
export async function uploadObject(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const caller = authenticate(exchange.headers, state)
  const object = await upload(state, exchange, {
    bucketId: params.bucket,
    name: params.key,
    caller,
    owner: ownerOf(caller),
    upsert: exchange.method === 'PUT' || wantsUpsert(exchange),
  })
  sendJson(exchange, { Key: `${object.bucketId}/${object.name}`, Id: object.id })
}

export async function uploadToSignedUrl(
  state: StorageState,
  exchange: Exchange,
  params: Params,
): Promise<void> {
  const token = exchange.query.get('token')
  if (token === null) throw failures.schema("querystring must have required property 'token'")
  const { upsert, owner } = uploadTokenOf(state, token, params.bucket, params.key)
  const object = await upload(state, exchange, {
    bucketId: params.bucket,
    name: params.key,
    caller: SERVICE,
    owner,
    upsert,
  })
  sendJson(exchange, { Key: `${object.bucketId}/${object.name}` })
}
