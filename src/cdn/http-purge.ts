import type { ErrorCode } from '../core/errors.ts'
import type { Invalidator } from '../core/invalidator.ts'
import { type Rate, TokenBucket } from '../core/token-bucket.ts'
import { batchedInvalidator, NONE_FAILED, type PurgeBatch } from './batched-invalidator.ts'
import { hostFetch } from './host-fetch.ts'
import { badOption, originOf, type PurgeOptions, purgeSettings } from './purge-settings.ts'
import { type PurgeFetch, VendorHttp } from './vendor-request.ts'

// The entry has these from here: what vendors have in common is not a vendor.
export type { PurgeFetch, PurgeOptions, Rate }

export interface HttpPurgeOptions extends PurgeOptions {
  /** Where the files are served: `https://files.example.org`. */
  baseUrl: string
  /**
   * Addresses of the caches, where requests do not simply go to `baseUrl`: each is told everything, with the host of
   * `baseUrl` in `Host`. A target is `ok` when every one of them has said so.
   */
  servers?: readonly string[]
  /** Default: `PURGE`. */
  method?: string
  /** Sent along, for example a secret that the cache asks for. Values are in no message. */
  headers?: Readonly<Record<string, string>>
  /**
   * The header in which the cache takes tags, separated by spaces (Varnish's vmod xkey, by a few lines of VCL). Absent:
   * tags are left out, URLs alone are purged.
   */
  tagHeader?: string
  /** Whether a path that ends with `*` purges all below it, as NGINX Plus does. Default: false, no prefixes. */
  wildcards?: boolean
  /** Default: no limit, these are your own servers. */
  rate?: Rate
  /** Default: the global `fetch`; with `servers` requests of `node:http`, since it sends no `Host` but its own. */
  fetch?: PurgeFetch
}

const NO_LIMIT: Rate = { burst: Number.MAX_SAFE_INTEGER, perSecond: Number.MAX_SAFE_INTEGER }
const TAGS_PER_REQUEST = 50
/**
 * Nothing was cached under it: NGINX Plus and older VCL say 404, ngx_cache_purge says 412.
 * https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_purge
 * https://github.com/nginx-modules/ngx_cache_purge/releases (2.5)
 */
const NOT_CACHED = new Set([404, 412])
/** What a cache says to someone who may not purge, and one that does not know the method. */
const CODES: Readonly<Record<number, ErrorCode>> = { 405: 'permission-denied', 501: 'unsupported' }

/**
 * Sends `PURGE` to Varnish, nginx and other caches of your own.
 *
 * It is the cache's configuration that makes a request a purge: `docs/cdn.md` has both. A cache that was not set up
 * passes PURGE on to the origin, whose 200 or 404 then looks like a purge; so try it once by hand.
 *
 * Source: https://www.varnish-software.com/developers/tutorials/purge/ and
 * https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_purge
 *
 * @throws `invalid-argument` for options that can't be meant
 * @example
 * ```ts
 * const cdn = httpPurge({ baseUrl: 'https://files.example.org', servers: ['http://10.0.0.5:6081', 'http://10.0.0.6:6081'] })
 * const [result] = await cdn.invalidate([{ key: 'a/photo.jpg', paths: [], tags: [] }])
 * ```
 */
export function httpPurge(options: HttpPurgeOptions): Invalidator {
  const settings = purgeSettings('httpPurge', options, {
    baseUrl: 'string',
    servers: 'array',
    method: 'string',
    headers: 'object',
    tagHeader: 'string',
    wildcards: 'boolean',
    rate: 'object',
    fetch: 'function',
  })
  const { method = 'PURGE', headers = {}, tagHeader, wildcards = false } = options
  const origin = originOf('httpPurge', 'baseUrl', options.baseUrl)
  if (options.servers?.length === 0)
    throw badOption('httpPurge', 'servers must name one cache or be left out')
  const servers = options.servers?.map(server => originOf('httpPurge', 'servers', server)) ?? [origin]
  const sent = { ...checkedHeaders(headers), ...(options.servers ? { host: new URL(origin).host } : {}) }
  const fetch = options.fetch ?? (options.servers === undefined ? undefined : hostFetch)
  const http = new VendorHttp('http-purge', settings, fetch, Object.values(headers))
  const bucket = new TokenBucket(checkedRate(options.rate), settings.now)
  if (!/^[A-Z]+$/.test(method)) throw badOption('httpPurge', 'method must be in capital letters')
  if (tagHeader !== undefined && !isHeaderName(tagHeader))
    throw badOption('httpPurge', 'tagHeader must be the name of a header')

  async function tell(server: string, { kind, values, signal }: PurgeBatch): Promise<void> {
    const path = kind === 'tag' ? '/' : `${values[0]}${kind === 'prefix' ? '*' : ''}`
    const tags = kind === 'tag' ? { [tagHeader!]: values.join(' ') } : {}
    const answer = await http.send({ method, url: server + path, headers: { ...sent, ...tags } }, signal)
    const { status } = answer
    const purged = status >= 200 && status < 300
    if (!purged && !(kind !== 'tag' && NOT_CACHED.has(status)))
      throw http.refusal(
        answer,
        CODES[status] === undefined ? undefined : `is ${method} set up?`,
        CODES[status],
      )
  }

  const one = { perRequest: 1, bucket, costs: 'request' } as const
  return batchedInvalidator(
    {
      name: 'http-purge',
      limits: {
        url: one,
        ...(wildcards ? { prefix: one } : {}),
        ...(tagHeader === undefined ? {} : { tag: { ...one, perRequest: TAGS_PER_REQUEST } }),
      },
      ...(wildcards
        ? { wildcardOf: (path: string) => (path.endsWith('*') ? path.slice(0, -1) : undefined) }
        : {}),
      problem: ({ kind, value }) =>
        kind === 'tag' && value.includes(' ') ? 'has a space, which separates tags' : undefined,
      async send(batch) {
        const answers = await Promise.allSettled(servers.map(server => tell(server, batch)))
        for (const answer of answers) if (answer.status === 'rejected') throw answer.reason
        return NONE_FAILED
      },
    },
    settings,
  )
}

function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeaderName(name) || typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value))
      throw badOption('httpPurge', 'headers must be names with values of printable ASCII')
    if (name.toLowerCase() === 'host') throw badOption('httpPurge', 'headers: Host comes from baseUrl')
  }
  return { ...headers }
}

function checkedRate(rate: Rate | undefined): Rate {
  if (rate === undefined) return NO_LIMIT
  if (rate.burst >= 1 && rate.perSecond > 0) return rate
  throw badOption('httpPurge', 'rate must be { burst, perSecond }, at least 1 and above 0')
}

function isHeaderName(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name)
}
