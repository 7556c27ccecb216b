import { type VendorAnswer, type VendorRequest, vendorStandIn } from './vendor-stand-in.ts'

export const ZONE = '023e105f4ecef8ad9ca31a8372d0c353'
export const TOKEN = 'cloudflare-token-SECRET-1234'
export const BASE = 'https://files.example.org'

/**
 * Cloudflare's purge, from https://developers.cloudflare.com/api/resources/cache/methods/purge/ and the pages on
 * purging by file, tag and prefix: one kind a request, at most `max` values, only URLs of the zone.
 */
export function cloudflareStandIn({ max = 100 } = {}) {
  return vendorStandIn(request => serve(request, max))
}

export function cloudflareRefusal(
  status: number,
  headers: Record<string, string> = {},
  message = 'refused',
  code = 1,
) {
  const body = JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null })
  return { status, headers: { 'content-type': 'application/json', 'cf-ray': '8f1-FRA', ...headers }, body }
}

function serve({ method, url, headers, body }: VendorRequest, max: number): VendorAnswer {
  if (headers.authorization !== `Bearer ${TOKEN}`)
    return cloudflareRefusal(403, {}, 'Authentication error', 10000)
  if (method !== 'POST' || url !== `/client/v4/zones/${ZONE}/purge_cache`)
    return cloudflareRefusal(404, {}, 'Could not route to the path', 7000)
  const asked = JSON.parse(body) as Record<string, string[]>
  const [kind, ...others] = Object.keys(asked)
  if (kind === undefined || others.length > 0 || !['files', 'tags', 'prefixes'].includes(kind))
    return cloudflareRefusal(400, {}, 'give one of files, tags, prefixes', 1012)
  const values = asked[kind]!
  if (values.length === 0 || values.length > max)
    return cloudflareRefusal(400, {}, `you can not provide more than ${max} items`, 1134)
  const outside = values.find(value => !inZone(kind, value))
  if (outside !== undefined)
    return cloudflareRefusal(400, {}, `Unable to purge '${outside}', not in the zone`, 1016)
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ success: true, errors: [], messages: [], result: { id: ZONE } }),
    purged: values.map(value => `${kind} ${value}`),
  }
}

/** Paths below /elsewhere stand for a host name that belongs to another zone. */
function inZone(kind: string, value: string): boolean {
  if (kind === 'tags') return true
  const home = kind === 'files' ? BASE : BASE.replace('https://', '')
  return value.startsWith(`${home}/`) && !value.startsWith(`${home}/elsewhere/`)
}
