import type { ErrorCode, StorageError } from '../core/errors.ts'
import type { Invalidator } from '../core/invalidator.ts'
import { type Rate, TokenBucket } from '../core/token-bucket.ts'
import { batchedInvalidator, NONE_FAILED, type PurgeBatch } from './batched-invalidator.ts'
import {
  badOption,
  idOf,
  least,
  originOf,
  type PurgeOptions,
  purgeSettings,
  secretOf,
} from './purge-settings.ts'
import type { Purge } from './purge-targets.ts'
import { type Answer, type PurgeFetch, VendorHttp } from './vendor-request.ts'

export interface CloudflareOptions extends PurgeOptions {
  /** The zone's id, from its overview page. */
  zoneId: string
  /** An API token with the permission Cache Purge for the zone. */
  apiToken: string
  /** Where the files are served: `https://files.example.org`. */
  baseUrl: string
  /** Chooses the rates. Default: `free`, whose rates every plan allows. */
  plan?: 'free' | 'pro' | 'business' | 'enterprise'
  /** URLs, tags or prefixes in one request. Default: 100. A batch that is refused as too large is halved. */
  perRequest?: number
  /** The API. Default: `https://api.cloudflare.com`. */
  apiUrl?: string
  /** Default: the global `fetch`. */
  fetch?: PurgeFetch
}

/**
 * Per account: requests that purge by tag or prefix, and single URLs.
 * https://developers.cloudflare.com/cache/how-to/purge-cache/#availability-and-limits (as of July 2026)
 */
const RATES: Readonly<Record<NonNullable<CloudflareOptions['plan']>, { requests: Rate; urls: Rate }>> = {
  free: { requests: { burst: 25, perSecond: 5 / 60 }, urls: { burst: 800, perSecond: 800 } },
  pro: { requests: { burst: 25, perSecond: 5 }, urls: { burst: 1500, perSecond: 1500 } },
  business: { requests: { burst: 50, perSecond: 10 }, urls: { burst: 1500, perSecond: 1500 } },
  enterprise: { requests: { burst: 500, perSecond: 50 }, urls: { burst: 3000, perSecond: 3000 } },
}

/** https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/ */
const MAX_TAG_BYTES = 1024
/** https://developers.cloudflare.com/cache/how-to/purge-cache/purge_by_prefix/ */
const MAX_SEPARATORS = 31

/**
 * Codes in `errors` that say more than the status beside them, which may even be 200.
 * https://developers.cloudflare.com/fundamentals/api/troubleshooting/
 */
const CODES: Readonly<Record<number, ErrorCode>> = {
  6003: 'unauthenticated',
  6111: 'unauthenticated',
  9103: 'unauthenticated',
  9106: 'unauthenticated',
  9109: 'unauthenticated',
  10000: 'unauthenticated',
  7000: 'not-found',
  7003: 'not-found',
  971: 'rate-limited',
  10429: 'rate-limited',
}

/**
 * Tells Cloudflare's cache by URL, by tag and by prefix, which all plans have.
 *
 * A purge by URL names one cached answer: where the zone's cache key holds more than the URL (a header, the device),
 * use tags. A prefix has no query and covers every query below it. `200` with `success: false` is a failure.
 *
 * Written from Cloudflare's documents and tested against a stand-in; Cloudflare itself was never called.
 * Source: https://developers.cloudflare.com/api/resources/cache/methods/purge/
 *
 * @throws `invalid-argument` for options that can't be meant
 * @example
 * ```ts
 * const cdn = cloudflare({ zoneId: '023e105f4ecef8ad', apiToken: 'token', baseUrl: 'https://files.example.org' })
 * const [result] = await cdn.invalidate([{ key: 'a/photo.jpg', paths: ['/a/photo.jpg?w=400'], tags: [] }])
 * ```
 */
export function cloudflare(options: CloudflareOptions): Invalidator {
  const settings = purgeSettings('cloudflare', options, {
    zoneId: 'string',
    apiToken: 'string',
    baseUrl: 'string',
    plan: 'string',
    perRequest: 'number',
    apiUrl: 'string',
    fetch: 'function',
  })
  const { plan = 'free', apiUrl = 'https://api.cloudflare.com' } = options
  if (!Object.hasOwn(RATES, plan))
    throw badOption('cloudflare', `plan must be one of ${Object.keys(RATES).join(', ')}`)
  const token = secretOf('cloudflare', 'apiToken', options.apiToken)
  const zone = idOf('cloudflare', 'zoneId', options.zoneId)
  const origin = originOf('cloudflare', 'baseUrl', options.baseUrl)
  const perRequest = least('cloudflare', 'perRequest', options.perRequest ?? 100, 1)
  const url = `${originOf('cloudflare', 'apiUrl', apiUrl)}/client/v4/zones/${zone}/purge_cache`
  const http = new VendorHttp('cloudflare', settings, options.fetch, [token])
  const rates = RATES[plan]
  const urls = new TokenBucket(rates.urls, settings.now)
  const requests = new TokenBucket(rates.requests, settings.now)

  return batchedInvalidator(
    {
      name: 'cloudflare',
      limits: {
        url: { perRequest, bucket: urls, costs: 'value' },
        tag: { perRequest, bucket: requests, costs: 'request' },
        prefix: { perRequest, bucket: requests, costs: 'request' },
      },
      problem,
      async send({ kind, values, signal }) {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        const body = JSON.stringify(bodyOf(kind, values, origin))
        const answer = await http.send({ method: 'POST', url, headers, body }, signal)
        const failure = failureOf(answer, http)
        if (failure !== undefined) throw failure
        return NONE_FAILED
      },
    },
    settings,
  )
}

function problem({ kind, value }: Purge): string | undefined {
  if (kind === 'tag' && Buffer.byteLength(value) > MAX_TAG_BYTES)
    return `is longer than ${MAX_TAG_BYTES} bytes`
  if (kind === 'tag' && /[\s,]/.test(value)) return 'has a space or a comma, which separates tags'
  if (kind !== 'prefix') return undefined
  if (value.includes('?')) return 'has a query; Cloudflare takes a prefix without one, which covers them all'
  if (value.split('/').length - 1 > MAX_SEPARATORS) return `has more than ${MAX_SEPARATORS} slashes`
  return undefined
}

function bodyOf(kind: PurgeBatch['kind'], values: readonly string[], origin: string): object {
  if (kind === 'tag') return { tags: values }
  if (kind === 'url') return { files: values.map(path => origin + path) }
  // Prefixes go without a scheme, and mean whole segments of the path.
  return { prefixes: values.map(path => origin.replace(/^https?:\/\//, '') + path) }
}

function failureOf(answer: Answer, http: VendorHttp): StorageError | undefined {
  const { success, errors } = (answer.json ?? {}) as { success?: unknown; errors?: unknown }
  const ok = answer.status >= 200 && answer.status < 300
  if (ok && success === true) return undefined
  const list = (Array.isArray(errors) ? errors : []) as { code?: unknown; message?: unknown }[]
  const said = list.map(({ code, message }) => `${message} (${code})`).join(', ')
  const known = list.map(({ code }) => CODES[Number(code)]).find(code => code !== undefined)
  return http.refusal(answer, said, known)
}
