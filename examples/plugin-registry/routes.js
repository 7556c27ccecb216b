import { jsonBody } from '../image-pipeline/json-body.js'
import { Refusal, refusalOf } from '../image-pipeline/refusal.js'

const NAME = '([a-z0-9]+(?:-[a-z0-9]+)*)'
const VERSION = '(\\d[0-9A-Za-z.-]*)'
const MOST_NAME_LENGTH = 64
const MOST_IN_PAGE = 100

/**
 * The registry's requests. Those that change something need the header `Authorization: Bearer <publish token>`.
 *
 * | request | answer |
 * | --- | --- |
 * | `POST /plugins/:name/:version` `{sha256, size, description?}` | 201, a signed upload and a ticket; 200 where this content is published; 409 where another is |
 * | `PUT /plugins/:name/:version` `{ticket}` | 201, the version |
 * | `GET /plugins/:name/:version` | the version |
 * | `GET /plugins/:name/:version/download` | 302 to a signed URL |
 * | `GET /plugins/:name/latest?current=1.2.0` | the latest release, and whether it is an update; with an ETag |
 * | `GET /plugins/:name` | all versions, the highest first |
 * | `GET /plugins?search=…&after=…&limit=…` | the latest of each plugin, by name |
 * | `PUT`, `DELETE /plugins/:name/:version/yank` | the version, not offered any more, or again |
 * | `GET /metrics` | for Prometheus |
 */
const ROUTES = [
  ['POST', '/plugins/:name/:version', beginPublishing],
  ['PUT', '/plugins/:name/:version', finishPublishing],
  ['GET', '/plugins/:name/:version', ({ app, name, version }) => app.registry.find(name, version)],
  ['GET', '/plugins/:name/:version/download', redirect],
  ['GET', '/plugins/:name/latest', check],
  ['GET', '/plugins/:name', listVersions],
  ['GET', '/plugins', listPlugins],
  [
    'PUT',
    '/plugins/:name/:version/yank',
    ({ app, name, version }) => app.registry.setYanked(name, version, true),
  ],
  [
    'DELETE',
    '/plugins/:name/:version/yank',
    ({ app, name, version }) => app.registry.setYanked(name, version, false),
  ],
  ['GET', '/metrics', sendMetrics],
].map(([method, path, handle]) => ({
  method,
  name: `${method} ${path}`,
  pattern: new RegExp(`^${path.replace(':name', NAME).replace(':version', VERSION)}$`),
  handle,
}))

/** @param {{ app: object, mayPublish: (request: object) => boolean, onError?: (error: unknown) => void }} parts */
export function createRoutes({ app, mayPublish, onError = console.error }) {
  return async (request, response) => {
    const url = new URL(request.url, 'http://localhost')
    const began = performance.now()
    const route = ROUTES.find(
      ({ method, pattern }) => method === request.method && pattern.test(url.pathname),
    )
    response.once('close', () => {
      const milliseconds = performance.now() - began
      app.metrics.countRequest(route?.name ?? 'other', response.statusCode, milliseconds)
    })
    try {
      if (route === undefined) throw new Refusal(404, 'not-found', 'There is nothing at this address.')
      if (request.method !== 'GET' && !mayPublish(request))
        throw new Refusal(401, 'unauthenticated', 'This needs the publish token.')
      const [, name, version] = route.pattern.exec(url.pathname)
      if (name !== undefined && name.length > MOST_NAME_LENGTH)
        throw new Refusal(400, 'invalid-argument', `A name has ${MOST_NAME_LENGTH} characters at most.`)
      const answer = await route.handle({ app, request, response, url, name, version })
      if (answer !== undefined) send(response, response.statusCode, answer)
    } catch (error) {
      if (request.destroyed && !request.complete) return response.destroy()
      const refusal = refusalOf(error)
      if (refusal.status >= 500) onError(error)
      refuse(response, refusal)
    }
  }
}

async function beginPublishing({ app, request, response, name, version }) {
  const answer = await app.registry.begin(name, version, await jsonBody(request))
  response.statusCode = answer.published === undefined ? 201 : 200
  return answer
}

async function finishPublishing({ app, request, response, name, version }) {
  const { ticket } = await jsonBody(request)
  const published = await app.registry.finish(name, version, ticket)
  response.statusCode = 201
  return published
}

async function redirect({ app, response, name, version }) {
  const location = await app.registry.downloadUrl(name, version)
  response.writeHead(302, { location, 'cache-control': 'no-store' }).end()
}

async function check({ app, request, response, url, name }) {
  const { answer, etag } = await app.registry.check(name, url.searchParams.get('current') ?? undefined)
  // A proxy that compresses makes a weak tag of ours.
  const known = request.headers['if-none-match']?.split(/, */).map(tag => tag.replace(/^W\//, ''))
  const isKnown = known?.includes(etag) === true
  response.writeHead(isKnown ? 304 : 200, {
    etag,
    'cache-control': 'no-cache',
    ...(isKnown ? {} : { 'content-type': 'application/json' }),
  })
  response.end(isKnown ? undefined : JSON.stringify(answer))
}

async function listVersions({ app, name }) {
  const versions = await app.registry.versions(name)
  if (versions.length === 0) throw new Refusal(404, 'not-found', 'There is no such plugin.')
  return { name, versions }
}

async function listPlugins({ app, url }) {
  const { search = '', after = '', limit = `${MOST_IN_PAGE}` } = Object.fromEntries(url.searchParams)
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MOST_IN_PAGE)
    throw new Refusal(400, 'invalid-argument', `limit must be from 1 to ${MOST_IN_PAGE}.`)
  const plugins = await app.registry.plugins({ search, after, limit: Number(limit) })
  return { plugins, ...(plugins.length === Number(limit) ? { next: plugins.at(-1).name } : {}) }
}

async function sendMetrics({ app, response }) {
  response.writeHead(200, { 'content-type': app.metrics.contentType }).end(await app.metrics.text())
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
