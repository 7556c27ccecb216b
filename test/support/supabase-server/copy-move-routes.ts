import { randomUUID } from 'node:crypto'
import { requireBody } from './body-schema.ts'
import { type Exchange, readJson, sendJson, wantsUpsert } from './http-exchange.ts'
import { requireKey } from './object-keys.ts'
import { authenticate, type Caller, may, ownerOf } from './row-policies.ts'
import { failures } from './storage-failure.ts'
import { fullRow, iso, type StorageState, type StoredObject } from './storage-state.ts'
import { headerMetadata } from './upload-body.ts'
import { commit, copiedFacts, requireUnlocked, requireWritable, storeBlob } from './write-object.ts'

const FROM_TO = {
  bucketId: { type: 'string', required: true },
  sourceKey: { type: 'string', required: true },
  destinationKey: { type: 'string', required: true },
  destinationBucket: { type: 'string' },
} as const

interface FileMetadata {
  cacheControl?: string
  mimetype?: string
}

export interface Copy {
  from: { bucket: string; key: string }
  to: { bucket: string; key: string }
  upsert: boolean
  /** Undefined copies what the source has; null leaves the copy without any. */
  userMetadata?: Record<string, unknown> | null | undefined
  file?: FileMetadata | undefined
}

function source(state: StorageState, caller: Caller, bucket: string, key: string): StoredObject {
  const object = state.find(bucket, key)
  if (!object || !may(state, caller, 'select', bucket, object)) throw failures.noSuchKey()
  return object
}

/** Checked before and not at the commit, like an upload; the limits of the destination bucket are not looked at. */
export async function copy(state: StorageState, caller: Caller, request: Copy): Promise<StoredObject> {
  const { from, to } = request
  requireKey(to.key)
  const object = source(state, caller, from.bucket, from.key)
  requireWritable(state, caller, to.bucket, to.key, request.upsert)
  await storeBlob(state, to.bucket, to.key)
  return commit(state, {
    bucketId: to.bucket,
    name: to.key,
    owner: ownerOf(caller),
    bytes: object.bytes,
    blob: { ...copiedFacts(state, object.blob, object.bytes), ...request.file },
    userMetadata: request.userMetadata === undefined ? object.userMetadata : request.userMetadata,
  })
}

export async function copyObject(state: StorageState, exchange: Exchange): Promise<void> {
  const body = requireBody(await readJson(exchange), {
    ...FROM_TO,
    copyMetadata: { type: 'boolean' },
    metadata: {
      type: 'object',
      fields: { cacheControl: { type: 'string' }, mimetype: { type: 'string' } },
    },
  })
  const caller = authenticate(exchange.headers, state)
  const bucket = body.bucketId as string
  const keeps = body.copyMetadata !== false
  const { cacheControl, mimetype } = (body.metadata ?? {}) as FileMetadata
  const object = await copy(state, caller, {
    from: { bucket, key: body.sourceKey as string },
    to: {
      bucket: (body.destinationBucket as string | undefined) ?? bucket,
      key: body.destinationKey as string,
    },
    upsert: wantsUpsert(exchange),
    ...(keeps
      ? {}
      : {
          userMetadata: headerMetadata(exchange) ?? null,
          file: {
            ...(cacheControl === undefined ? {} : { cacheControl }),
            ...(mimetype === undefined ? {} : { mimetype }),
          },
        }),
  })
  sendJson(exchange, { Key: `${object.bucketId}/${object.name}`, Id: object.id, ...fullRow(object) })
}

/** An UPDATE under a unique index: of all that aim at one name exactly one gets it. */
export async function moveObject(state: StorageState, exchange: Exchange): Promise<void> {
  const body = requireBody(await readJson(exchange), FROM_TO)
  const caller = authenticate(exchange.headers, state)
  const bucket = body.bucketId as string
  const to = {
    bucket: (body.destinationBucket as string | undefined) ?? bucket,
    key: body.destinationKey as string,
  }
  requireKey(to.key)
  const object = source(state, caller, bucket, body.sourceKey as string)
  if (!may(state, caller, 'update', bucket, object)) throw failures.noSuchKey()
  if (!may(state, caller, 'update', to.bucket, { name: to.key, owner: object.owner }))
    throw failures.rowLevelSecurity()
  if (!state.buckets.has(to.bucket)) throw failures.noSuchRelation()
  const itself = to.bucket === bucket && to.key === object.name
  if (!itself) {
    if (state.find(to.bucket, to.key)) throw failures.resourceExists()
    await storeBlob(state, to.bucket, to.key)
    requireUnlocked(state, to.bucket, to.key)
    if (state.find(bucket, object.name) !== object) throw failures.noSuchKey()
    if (state.find(to.bucket, to.key)) throw failures.resourceExists()
    const at = state.now()
    state.remove(object)
    state.insert({
      ...object,
      bucketId: to.bucket,
      name: to.key,
      version: randomUUID(),
      owner: ownerOf(caller),
      blob: { ...object.blob, lastModified: iso(at - (at % 1000)) },
      updatedAt: at,
    })
  }
  sendJson(exchange, { message: 'Successfully moved' })
}
