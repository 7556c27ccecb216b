/** Signing of downloads, one by one and in batches, and of uploads. */
import { requireBody } from './body-schema.ts'
import { type Exchange, readJson, sendJson, wantsUpsert } from './http-exchange.ts'
import type { Params } from './router.ts'
import { authenticate, may, ownerOf } from './row-policies.ts'
import { downloadToken, uploadToken } from './signed-tokens.ts'
import { failures } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'
import { requireInsertable } from './write-object.ts'

const NOT_YOURS = 'Either the object does not exist or you do not have access to it'

type Transform = Record<string, unknown>

/** The claims a transform adds, in the order and with the slips of the real one. */
function transformClaims(transform: Transform) {
  const { width, height, resize, quality, format } = transform
  const parts: string[] = []
  if (height) parts.push(`height:${height}`)
  if (width) parts.push(`width:${width}`)
  if (width || height) parts.push(`resize:${resize}`)
  if (quality) parts.push(`quality:${quality}`)
  return { transformations: parts.join(','), ...(format ? { format } : {}) }
}

export async function signUrl(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const body = requireBody(await readJson(exchange), {
    expiresIn: { type: 'integer', required: true, minimum: 1 },
    transform: { type: 'object' },
  })
  const caller = authenticate(exchange.headers, state)
  const object = state.find(params.bucket, params.key)
  if (!object || !may(state, caller, 'select', params.bucket, object)) throw failures.noSuchKey()
  const path = `${params.bucket}/${params.key}`
  const transform = body.transform as Transform | undefined
  const transforms = transform !== undefined && Object.keys(transform).length > 0
  const claims = transforms ? transformClaims(transform) : {}
  const token = downloadToken(state, path, body.expiresIn as number, claims)
  sendJson(exchange, {
    signedURL: `/${transforms ? 'render/image' : 'object'}/sign/${path}?token=${token}`,
  })
}

export async function signUrls(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const body = requireBody(await readJson(exchange), {
    expiresIn: { type: 'integer', required: true, minimum: 1 },
    paths: { type: 'strings', required: true, minItems: 1, maxItems: 1000 },
  })
  const caller = authenticate(exchange.headers, state)
  const answer = (body.paths as string[]).map(path => {
    const object = state.find(params.bucket, path)
    if (!object || !may(state, caller, 'select', params.bucket, object))
      return { error: NOT_YOURS, path, signedURL: null }
    const full = `${params.bucket}/${path}`
    const token = downloadToken(state, full, body.expiresIn as number)
    return { error: null, path, signedURL: `/object/sign/${full}?token=${token}` }
  })
  sendJson(exchange, answer)
}

/** The key is not validated here, only when the bytes come. */
export async function signUpload(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  await readJson(exchange)
  const caller = authenticate(exchange.headers, state)
  const upsert = wantsUpsert(exchange)
  // Update and select are asked for when the bytes come.
  requireInsertable(state, caller, params.bucket, params.key, upsert)
  const path = `${params.bucket}/${params.key}`
  const token = uploadToken(state, path, upsert, ownerOf(caller))
  sendJson(exchange, { url: `/object/upload/sign/${path}?token=${token}`, token })
}
