/** The resumable protocol: real HTTP statuses and plain text, unlike the rest of the API. */
import { type Exchange, header, sendBytes, sendHeaders, sendJson, wantsUpsert } from './http-exchange.ts'
import { bearerOf, callerOf, ownerOf, SERVICE } from './row-policies.ts'
import { failures, StorageFailure } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'
import {
  type Access,
  ALLOWED_HEADERS,
  authorize,
  pending,
  TUS_HEADERS,
  TusRefusal,
  VERSION,
} from './tus-protocol.ts'
import { formatTusMetadata, type TusUpload } from './tus-upload.ts'
import { append, create } from './tus-writes.ts'

export async function tusRequest(state: StorageState, exchange: Exchange): Promise<void> {
  const signed = /^\/upload\/resumable\/sign(\/|$)/.test(exchange.path)
  try {
    if (exchange.method === 'OPTIONS') return sendOptions(state, exchange)
    const caller = signed ? SERVICE : callerOf(bearerOf(exchange.headers), state)
    await answer(state, exchange, { signed, caller, owner: ownerOf(caller), upsert: wantsUpsert(exchange) })
  } catch (error) {
    if (!(error instanceof StorageFailure)) throw error
    sendJson(exchange, error.body(), error.httpStatus)
  }
}

async function answer(state: StorageState, exchange: Exchange, access: Access): Promise<void> {
  const { method } = exchange
  if (header(exchange, 'tus-resumable') === undefined) {
    sendText(exchange, 412, 'Tus-Resumable Required\n', VERSION)
    return
  }
  try {
    if (state.faults.databaseDown) throw failures.internal()
    if (method === 'POST') return await create(state, exchange, access)
    const id = /([^/]+)\/?$/.exec(exchange.path)?.[1] ?? ''
    if (method === 'PATCH') return await append(state, exchange, id, access)
    if (method !== 'HEAD' && method !== 'DELETE') throw new TusRefusal(404, 'Not found\n')
    const upload = pending(state, id)
    // A key of the API may ask for the offset of any upload; a signature only for its own.
    if (method === 'DELETE' || access.signed) authorize(state, exchange, upload, access)
    if (method === 'HEAD') describe(exchange, upload)
    else {
      state.tusUploads.delete(id)
      sendHeaders(exchange, 204, TUS_HEADERS)
    }
  } catch (error) {
    if (error instanceof TusRefusal) sendText(exchange, error.status, error.message, TUS_HEADERS)
    else if (error instanceof StorageFailure) sendText(exchange, error.statusCode, error.message, TUS_HEADERS)
    else throw error
  }
}

function describe(exchange: Exchange, upload: TusUpload): void {
  sendHeaders(exchange, 200, {
    ...TUS_HEADERS,
    'cache-control': 'no-store',
    'content-type': 'text/plain;charset=UTF-8',
    'upload-offset': String(upload.offset),
    ...(upload.length === undefined
      ? { 'upload-defer-length': '1' }
      : { 'upload-length': String(upload.length) }),
    'upload-metadata': formatTusMetadata(upload.metadata),
  })
}

function sendText(exchange: Exchange, status: number, text: string, headers: Record<string, string>): void {
  sendBytes(exchange, status, { 'content-type': 'text/plain;charset=UTF-8', ...headers }, text)
}

function sendOptions(state: StorageState, exchange: Exchange): void {
  sendHeaders(exchange, 204, {
    ...TUS_HEADERS,
    'access-control-allow-headers': `${ALLOWED_HEADERS} Authorization, X-Upsert, Upload-Expires, ApiKey, x-signature`,
    'access-control-allow-methods': 'POST, HEAD, PATCH, OPTIONS, DELETE',
    'access-control-max-age': '86400',
    'tus-extension': 'creation,creation-with-upload,creation-defer-length,termination,expiration',
    'tus-max-size': String(state.limits.resumableBytes),
    'tus-version': '1.0.0',
  })
}
