/** Which function answers which path; the first that fits wins, as in the real server's tree. */
import {
  createBucket,
  deleteBucket,
  emptyBucket,
  getBucket,
  listBuckets,
  updateBucket,
} from './bucket-routes.ts'
import { copyObject, moveObject } from './copy-move-routes.ts'
import { deleteObject, deleteObjects } from './delete-routes.ts'
import { type Exchange, sendBytes, sendFailure, sendJson } from './http-exchange.ts'
import { listV1, listV2 } from './list-routes.ts'
import { authenticate } from './row-policies.ts'
import { s3Request } from './s3-routes.ts'
import {
  getAuthenticatedInfo,
  getAuthenticatedObject,
  getInfo,
  getObject,
  getPublicInfo,
  getPublicObject,
  getSignedObject,
} from './serve-routes.ts'
import { signUpload, signUrl, signUrls } from './sign-routes.ts'
import { failures, StorageFailure } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'
import { tusRequest } from './tus-routes.ts'
import { uploadObject, uploadToSignedUrl } from './upload-routes.ts'

export interface Params {
  bucket: string
  key: string
}

type Handler = (state: StorageState, exchange: Exchange, params: Params) => void | Promise<void>
type Route = [methods: string, path: string, handler: Handler]

const refuse =
  (failure: () => StorageFailure): Handler =>
  (state, exchange) => {
    authenticate(exchange.headers, state)
    throw failure()
  }

const ROUTES: Route[] = [
  ['POST', '/bucket', createBucket],
  ['GET', '/bucket', listBuckets],
  ['POST', '/bucket/:bucket/empty', emptyBucket],
  ['GET', '/bucket/:bucket', getBucket],
  ['PUT', '/bucket/:bucket', updateBucket],
  ['DELETE', '/bucket/:bucket', deleteBucket],
  ['POST', '/object/copy', copyObject],
  ['POST', '/object/move', moveObject],
  ['POST', '/object/list/:bucket', listV1],
  ['POST', '/object/list-v2/:bucket', listV2],
  ['POST', '/object/upload/sign/:bucket/*', signUpload],
  ['PUT', '/object/upload/sign/:bucket/*', uploadToSignedUrl],
  ['POST', '/object/sign/:bucket', signUrls],
  ['POST', '/object/sign/:bucket/*', signUrl],
  ['GET HEAD', '/object/sign/:bucket/*', getSignedObject],
  ['GET HEAD', '/object/info/public/:bucket/*', getPublicInfo],
  ['GET HEAD', '/object/info/authenticated/:bucket/*', getAuthenticatedInfo],
  ['GET HEAD', '/object/info/:bucket/*', getInfo],
  ['GET HEAD', '/object/public/:bucket/*', getPublicObject],
  ['GET HEAD', '/object/authenticated/:bucket/*', getAuthenticatedObject],
  ['GET HEAD', '/object/:bucket/*', getObject],
  ['POST PUT', '/object/:bucket/*', uploadObject],
  ['DELETE', '/object/:bucket', deleteObjects],
  ['DELETE', '/object/:bucket/*', deleteObject],
  ['DELETE', '/cdn/:bucket/*', refuse(failures.noPurgeEndpoint)],
  ['GET', '/render/image/authenticated/:bucket/*', refuse(failures.noRenderer)],
  [
    'GET',
    '/render/image/public/:bucket/*',
    () => {
      throw failures.noRenderer()
    },
  ],
  [
    'GET',
    '/render/image/sign/:bucket/*',
    () => {
      throw failures.noRenderer()
    },
  ],
  ['GET', '/status', (_, exchange) => sendBytes(exchange, 200, {}, '')],
]

const COMPILED = ROUTES.map(([methods, path, handler]) => ({
  methods: methods.split(' '),
  pattern: new RegExp(`^${path.replace(':bucket', '(?<bucket>[^/]+)').replace('*', '(?<key>.+)')}$`),
  handler,
}))

export async function route(state: StorageState, exchange: Exchange): Promise<void> {
  const { method, path } = exchange
  if (path === '/upload/resumable' || path.startsWith('/upload/resumable/'))
    return tusRequest(state, exchange)
  if (path === '/s3' || path.startsWith('/s3/')) return s3Request(state, exchange)
  for (const { methods, pattern, handler } of COMPILED) {
    const match = methods.includes(method) ? pattern.exec(path) : null
    if (!match) continue
    const params = decodeParams(match.groups ?? {})
    if (!params) return sendBadUrl(exchange)
    return await guarded(state, exchange, () => handler(state, exchange, params))
  }
  sendNoRoute(exchange)
}

function decodeParams(groups: Record<string, string | undefined>): Params | undefined {
  try {
    return { bucket: decodeURIComponent(groups.bucket ?? ''), key: decodeURIComponent(groups.key ?? '') }
  } catch {
    return undefined
  }
}

async function guarded(
  state: StorageState,
  exchange: Exchange,
  answer: () => void | Promise<void>,
): Promise<void> {
  try {
    if (exchange.path !== '/status') {
      if (state.faults.databaseDown) throw failures.internal()
      if (state.faults.databaseSaturated) throw failures.tooManyConnections()
    }
    await answer()
  } catch (error) {
    if (!(error instanceof StorageFailure)) throw error
    sendFailure(exchange, error)
  }
}

function sendBadUrl(exchange: Exchange): void {
  const body = {
    error: 'Bad Request',
    code: 'FST_ERR_BAD_URL',
    message: `'${exchange.path}' is not a valid url component`,
    statusCode: 400,
  }
  sendJson(exchange, body, 400, { 'content-type': 'application/json' })
}

/** Routes of objects and all others have two not-found handlers, with two forms of the body. */
function sendNoRoute(exchange: Exchange): void {
  const { method, path } = exchange
  const failure = failures.noSuchRoute(method, path)
  if (path.startsWith('/object'))
    sendJson(exchange, failure.body(), 404, { 'content-type': 'application/json' })
  else sendJson(exchange, { message: failure.message, error: 'Not Found', statusCode: 404 }, 404)
}
