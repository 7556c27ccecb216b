import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Most bytes of one upload. */
export const MAX_BYTES = 100 * 1024 * 1024

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const ASSETS = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
}

/** What a failure means to a browser: status and words. Details are for the log. */
const REFUSALS = {
  'not-found': [404, 'This file is not there any more.'],
  'too-large': [413, 'This file is too large.'],
  'invalid-key': [400, "This name can't be stored. Rename the file and try again."],
  'invalid-argument': [400, 'The upload was not complete. Try again.'],
  unavailable: [503, 'The storage is not reachable just now. Nothing was lost; try again in a moment.'],
  timeout: [503, 'The storage took too long. Nothing was lost; try again in a moment.'],
}

/**
 * The application's requests. Returns false for a path that it does not know.
 *
 * | request | answer |
 * | --- | --- |
 * | `GET /attachments` | the list |
 * | `POST /attachments?name=photo.jpg`, the bytes as the body | 201 |
 * | `GET /attachments/<id>` | 302 to a signed URL |
 * | `DELETE /attachments/<id>` | 204, or 202 where the store has not let go of the bytes yet |
 */
export function createRoutes({ attachments, about, onError = console.error }) {
  return async (request, response) => {
    const url = new URL(request.url, 'http://localhost')
    const [, id] = /^\/attachments\/([\w-]+)$/.exec(url.pathname) ?? []
    const call = id === undefined ? `${request.method} ${url.pathname}` : `${request.method} /attachments/:id`
    const route = ROUTES[call] ?? (request.method === 'GET' && ASSETS[url.pathname] ? sendAsset : undefined)
    if (route === undefined) return false
    try {
      if (request.method !== 'GET' && isForeign(request))
        return refuse(response, 403, 'This request comes from another site.')
      await route({ request, response, url, id, attachments, about })
    } catch (error) {
      if (request.destroyed && !request.complete) return response.destroy()
      const [status, words] = REFUSALS[error.code] ?? [
        500,
        'Something failed here. It has been written down.',
      ]
      if (status >= 500) onError(error)
      refuse(response, status, words)
    }
    return true
  }
}

const ROUTES = {
  async 'GET /attachments'({ response, attachments, about }) {
    send(response, 200, { ...about, maxBytes: MAX_BYTES, attachments: await attachments.list() })
  },

  async 'POST /attachments'({ request, response, url, attachments }) {
    const size = Number(request.headers['content-length'])
    if (!Number.isSafeInteger(size)) return refuse(response, 411, 'An upload must say its size.')
    if (size > MAX_BYTES) return refuse(response, 413, `Files may have ${MAX_BYTES / 1024 ** 2} MB at most.`)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const name = url.searchParams.get('name') ?? ''
    // The request itself is the body: it streams into the store at the store's pace, and is never held whole.
    send(response, 201, await attachments.add(name, request, { size, signal: gone.signal }))
  },

  async 'GET /attachments/:id'({ request, response, id, attachments }) {
    const location = await attachments.urlOf(id)
    const isPage = request.headers.accept?.includes('text/html')
    if (location === undefined && !isPage) return refuse(response, 404, REFUSALS['not-found'][1])
    // A person who followed an old link comes back to the list, which says so.
    response.writeHead(302, { location: location ?? '/?gone', 'cache-control': 'no-store' }).end()
  },

  async 'DELETE /attachments/:id'({ response, id, attachments }) {
    const outcome = await attachments.remove(id)
    // Two tabs may both delete: the second one has what it wants.
    response.writeHead(outcome === 'pending' ? 202 : 204).end()
  },
}

function sendAsset({ response, url }) {
  const [file, type] = ASSETS[url.pathname]
  response.writeHead(200, {
    'content-type': type,
    'content-security-policy': PAGE_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  })
  response.end(readFileSync(join(import.meta.dirname, file)))
}

/** A page of another site can make a browser send things here; it can't hide where it comes from. */
function isForeign({ headers }) {
  return headers.origin !== undefined && headers.origin.replace(/^https?:\/\//, '') !== headers.host
}

function refuse(response, status, message) {
  if (response.headersSent) return response.destroy()
  // What is still being sent is not read.
  response.setHeader('connection', 'close')
  send(response, status, { error: message })
}

function send(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(value))
}
