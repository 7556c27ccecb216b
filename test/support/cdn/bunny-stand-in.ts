import { type VendorAnswer, type VendorRequest, vendorStandIn } from './vendor-stand-in.ts'

export const PULL_ZONE = 4711
export const KEY = 'bunny-access-SECRET-1234'
export const BASE = 'https://example.b-cdn.net'

/**
 * bunny.net's purge, from https://docs.bunny.net/reference/purgepublic_indexpost and
 * https://docs.bunny.net/cdn/purge-cache: one URL, wildcard or tag a request.
 */
export function bunnyStandIn() {
  return vendorStandIn(serve)
}

export function bunnyRefusal(status: number, headers: Record<string, string> = {}, message = 'refused') {
  const body = JSON.stringify({ ErrorKey: 'refused', Field: 'url', Message: message })
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}

function serve({ method, url, headers, body }: VendorRequest): VendorAnswer {
  if (headers.accesskey !== KEY) return bunnyRefusal(401, {}, 'The request authorization failed')
  const { pathname, searchParams } = new URL(url, BASE)
  if (method !== 'POST') return bunnyRefusal(405)
  if (pathname === `/pullzone/${PULL_ZONE}/purgeCache`) {
    const { CacheTag: tag } = JSON.parse(body || '{}') as { CacheTag?: unknown }
    // Without a tag the real one would purge the whole zone.
    return typeof tag === 'string' && tag !== ''
      ? { status: 204, purged: [`tag ${tag}`] }
      : { status: 204, purged: ['everything'] }
  }
  if (pathname !== '/purge') return bunnyRefusal(404, {}, 'The requested pull zone was not found')
  const asked = searchParams.get('url')
  if (!asked?.startsWith(`${BASE}/`)) return bunnyRefusal(400, {}, 'The url is of no pull zone')
  const path = asked.slice(BASE.length)
  const exact = searchParams.get('exactPath') === 'true'
  const wide = path.includes('*') || (path.endsWith('/') && !exact)
  return { status: 200, purged: [`${wide ? 'wildcard' : 'url'} ${path}`] }
}
