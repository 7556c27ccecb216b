import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IMAGE_KEYS } from './image-keys.js'
import { jsonBody } from './json-body.js'
import { Refusal, refusalOf } from './refusal.js'
import { MOST_BYTES, TYPES } from './uploads.js'

const MOST_IN_PAGE = 100
const IN_PAGE = 24
const ID = '([0-9a-f-]{36})'

/**
 * The application's requests.
 *
 * | request | answer |
 * | --- | --- |
 * | `POST /uploads` `{contentType, size, place?, kind?, threadId?}` | 201, a signed upload and the ticket for it |
 * | `POST /images` `{ticket, alt?}` | 201, the image; its size and blurhash are computed here |
 * | `GET /images/:id` | the image |
 * | `PATCH /images/:id` `{alt}` | the image |
 * | `DELETE /images/:id` | 204, or 202 where the store has not let go of the bytes yet |
 * | `GET /versions/:threadId` | all versions of a thread, in order |
 * | `GET /feed?after=…&limit=…` | a page, the newest first, and what the next one is asked with |
 * | `POST /feed` `{imageId}` | 201, the image, which others see from now on |
 * | `GET /metrics` | for Prometheus |
 */
const ROUTES = [
  ['POST', '/uploads', beginUpload],
  ['POST', '/images', finishUpload],
  ['GET', `/images/${ID}`, ({ app, userId, id }) => app.images.one(userId, id), ':id'],
  ['PATCH', `/images/${ID}`, describeImage, ':id'],
  ['DELETE', `/images/${ID}`, deleteImage, ':id'],
  ['GET', `/versions/${ID}`, listVersions, ':threadId'],
  ['GET', '/feed', listFeed],
  ['POST', '/feed', shareImage],
  ['GET', '/metrics', sendMetrics],
  [
    'GET',
    '/about',
    ({ app }) => ({ parts: app.parts.join(' · '), limits: { maxBytes: MOST_BYTES, types: TYPES } }),
  ],
  ['GET', '/', sendPage],
  ['GET', `/threads/${ID}`, sendPage, ':threadId'],
  ['GET', '/assets/([\\w.-]+)', sendAsset, ':name'],
].map(([method, path, handle, parameter = '']) => ({
  method,
  pattern: new RegExp(`^${path}$`),
  handle,
  name: `${method} ${path.replace(/\(.*\)/, parameter)}`,
}))

/** @param {{ app: object, sessions: object, assets: Map, policy: string, onError?: (error: unknown) => void }} parts */
export function createRoutes({ app, sessions, assets, policy, onError = console.error }) {
  return async (request, response) => {
    const url = new URL(request.url, 'http://localhost')
    const route = ROUTES.find(
      ({ method, pattern }) => method === request.method && pattern.test(url.pathname),
    )
    const began = performance.now()
    response.once('close', () =>
      app.metrics.countRequest(route?.name ?? 'none', response.statusCode, performance.now() - began),
    )
    try {
      if (route === undefined) throw new Refusal(404, 'not-found', 'There is nothing at this address.')
      if (request.method !== 'GET' && isForeign(request))
        throw new Refusal(403, 'foreign-origin', 'This request comes from another site.')
      const userId = sessions.userOf(request, response)
      const [, id] = route.pattern.exec(url.pathname)
      const answer = await route.handle({ app, assets, policy, request, response, url, userId, id })
      if (answer !== undefined) send(response, request.method === 'POST' ? 201 : 200, answer)
    } catch (error) {
      if (request.destroyed && !request.complete) return response.destroy()
      const refusal = refusalOf(error)
      if (refusal.status >= 500) onError(error)
      refuse(response, refusal)
    }
  }
}

async function beginUpload({ app, request, userId }) {
  const { contentType, size, place, kind, threadId } = await jsonBody(request)
  if (typeof threadId === 'string') await app.images.assertNotOfOthers(userId, threadId)
  return app.uploads.begin(userId, { contentType, size, place, kind, threadId })
}

async function finishUpload({ app, request, userId }) {
  const { ticket, alt } = await jsonBody(request)
  return app.images.finish(userId, app.uploads.open(userId, ticket), alt)
}

async function describeImage({ app, request, userId, id }) {
  const { alt } = await jsonBody(request)
  return app.images.describe(userId, id, alt)
}

async function deleteImage({ app, response, userId, id }) {
  const outcome = await app.images.remove(userId, id)
  response.writeHead(outcome === 'pending' ? 202 : 204).end()
}

async function listVersions({ app, userId, id }) {
  return { threadId: id, images: await app.images.versions(userId, id) }
}

function listFeed({ app, url, userId }) {
  const text = url.searchParams.get('limit') ?? `${IN_PAGE}`
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MOST_IN_PAGE)
    throw new Refusal(400, 'invalid-argument', `limit must be from 1 to ${MOST_IN_PAGE}.`)
  return app.images.feed(userId, { after: url.searchParams.get('after'), limit })
}

async function shareImage({ app, request, userId }) {
  const { imageId } = await jsonBody(request)
  const copy = { threadId: randomUUID(), kind: 'insert', id: randomUUID() }
  const key = IMAGE_KEYS.feed.build(copy)
  return app.images.share(userId, `${imageId}`, { key, feedId: copy.threadId, sharedId: copy.id })
}

async function sendMetrics({ app, response }) {
  response.writeHead(200, { 'content-type': app.metrics.contentType }).end(await app.metrics.text())
}

function sendPage({ response, policy }) {
  const page = readFileSync(join(import.meta.dirname, 'page/index.html'))
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  })
  response.end(page)
}

function sendAsset({ assets, response, policy, id: name }) {
  const file = assets.get(name)
  if (file === undefined) throw new Refusal(404, 'not-found', 'There is nothing at this address.')
  response.writeHead(200, {
    'content-type': name.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
    'cache-control': 'no-cache',
    // A worker has the policy that its own file came with.
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
  })
  response.end(file)
}

/** A page of another site can make a browser send things here; it can't hide where it comes from. */
function isForeign({ headers }) {
  return headers.origin !== undefined && headers.origin.replace(/^https?:\/\//, '') !== headers.host
}

function refuse(response, { status, code, message }) {
  if (response.headersSent) return response.destroy()
  // What is still being sent is not read.
  response.setHeader('connection', 'close')
  send(response, status, { error: { code, message } })
}

function send(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(value))
}
