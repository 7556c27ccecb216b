import { type VendorAnswer, type VendorRequest, vendorStandIn } from './vendor-stand-in.ts'

export const TOKEN = 'purge-token-SECRET-1234'
export const HOST = 'files.example.org'

/**
 * A cache that takes PURGE, as https://www.varnish-software.com/developers/tutorials/purge/ and
 * https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_purge describe it, and asks for a token.
 */
export function purgeCacheStandIn({ method = 'PURGE' } = {}) {
  return vendorStandIn(request => serve(request, method))
}

export function textRefusal(status: number, headers: Record<string, string> = {}, message = 'refused') {
  return { status, headers: { 'content-type': 'text/plain', ...headers }, body: message }
}

function serve({ method, url, headers }: VendorRequest, expected: string): VendorAnswer {
  if (method !== expected) return textRefusal(405, {}, 'Method Not Allowed')
  if (headers['x-purge-token'] !== TOKEN) return textRefusal(403, {}, 'Forbidden')
  if (url.startsWith('/uncached-404')) return textRefusal(404)
  if (url.startsWith('/uncached-412')) return textRefusal(412)
  const tags = headers['xkey-purge']
  if (tags !== undefined)
    return {
      status: 200,
      purged: String(tags)
        .split(' ')
        .map(tag => `tag ${tag}`),
    }
  return { status: 200, purged: [`${headers.host} ${url}`] }
}
