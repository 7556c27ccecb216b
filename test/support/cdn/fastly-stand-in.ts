import { type VendorAnswer, type VendorRequest, vendorStandIn } from './vendor-stand-in.ts'

export const SERVICE = 'SU1Z0isxPaozGVKXdv0eY'
export const TOKEN = 'fastly-token-SECRET-1234'
export const HOST = 'files.example.org'

/**
 * Fastly's purge, from https://www.fastly.com/documentation/reference/api/purging/: a URL, or up to 256 surrogate keys
 * of a service, each answered with the id of its purge. `forgets` stands for keys that an answer leaves out.
 */
export function fastlyStandIn(forgets: Set<string> = new Set()) {
  return vendorStandIn(request => serve(request, forgets))
}

export function fastlyRefusal(status: number, headers: Record<string, string> = {}, msg = 'Bad request') {
  return json(status, { msg, detail: null }, headers)
}

function serve({ method, url, headers, body }: VendorRequest, forgets: Set<string>): VendorAnswer {
  if (headers['fastly-key'] !== TOKEN)
    return fastlyRefusal(401, {}, 'Provided credentials are missing or invalid')
  if (method !== 'POST') return fastlyRefusal(405)
  const soft = headers['fastly-soft-purge'] === '1' ? 'soft ' : ''
  if (url.startsWith(`/purge/${HOST}/`)) {
    const path = url.slice(`/purge/${HOST}`.length)
    return { ...json(200, { status: 'ok', id: '108-1391560174-974124' }), purged: [`${soft}url ${path}`] }
  }
  if (url !== `/service/${SERVICE}/purge`) return fastlyRefusal(404, {}, 'Record not found')
  const { surrogate_keys: keys } = JSON.parse(body) as { surrogate_keys?: string[] }
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 256)
    return fastlyRefusal(400, {}, 'Up to 256 surrogate keys can be purged in one batch request')
  const taken = keys.filter(key => !forgets.delete(key))
  const ids = Object.fromEntries(taken.map((key, at) => [key, `108-1391560174-${at}`]))
  return { ...json(200, ids), purged: taken.map(key => `${soft}key ${key}`) }
}

function json(status: number, body: object, headers: Record<string, string> = {}) {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}
