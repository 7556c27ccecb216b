import type { Invalidator } from '../core/invalidator.ts'
import { TokenBucket } from '../core/token-bucket.ts'
import { batchedInvalidator, NONE_FAILED } from './batched-invalidator.ts'
import { badOption, originOf, type PurgeOptions, purgeSettings, secretOf } from './purge-settings.ts'
import type { Purge, PurgeKind } from './purge-targets.ts'
import { type Answer, type PurgeFetch, VendorHttp, type VendorRequest } from './vendor-request.ts'

export interface BunnyOptions extends PurgeOptions {
  /** The account's API key. */
  accessKey: string
  /** Where the files are served: `https://example.b-cdn.net` or a host name of the pull zone. */
  baseUrl: string
  /** The pull zone whose tags (`CDN-Tag`) are purged. Absent: tags are left out, URLs alone are purged. */
  pullZoneId?: number
  /** The API. Default: `https://api.bunny.net`. */
  apiUrl?: string
  /** Default: the global `fetch`. */
  fetch?: PurgeFetch
}

/** Per account and kind. https://docs.bunny.net/docs/cdn-api-purge-rate-limits (as of 2026) */
const EXACT = { burst: 120, perSecond: 5 }
const WILDCARD = { burst: 20, perSecond: 0.5 }
/** A `CDN-Tag` header is cut off there. https://docs.bunny.net/cdn/purge-cache */
const MAX_TAG_BYTES = 1024

/**
 * Tells bunny.net's cache by URL, by prefix (`*`) and, with `pullZoneId`, by tag.
 *
 * One URL, prefix or tag a request. A path with a `*` in it is read as a wildcard by bunny, and so it is purged as a
 * prefix, up to the first `*`; a path that ends with `/` is purged alone (`exactPath`), which bunny keeps to where the
 * pull zone does not ignore query strings.
 *
 * Written from bunny.net's documents and tested against a stand-in; bunny.net itself was never called.
 * Source: https://docs.bunny.net/reference/purgepublic_indexpost and https://docs.bunny.net/cdn/purge-cache
 *
 * @throws `invalid-argument` for options that can't be meant
 * @example
 * ```ts
 * const cdn = bunny({ accessKey: 'key', baseUrl: 'https://example.b-cdn.net', pullZoneId: 4711 })
 * const [result] = await cdn.invalidate([{ key: 'a/photo.jpg', paths: [], tags: ['photo-1'] }])
 * ```
 */
export function bunny(options: BunnyOptions): Invalidator {
  const settings = purgeSettings('bunny', options, {
    accessKey: 'string',
    baseUrl: 'string',
    pullZoneId: 'number',
    apiUrl: 'string',
    fetch: 'function',
  })
  const zone = options.pullZoneId
  if (zone !== undefined && !(Number.isSafeInteger(zone) && zone > 0))
    throw badOption('bunny', 'pullZoneId must be the whole number that the pull zone has')
  const key = secretOf('bunny', 'accessKey', options.accessKey)
  const origin = originOf('bunny', 'baseUrl', options.baseUrl)
  const api = originOf('bunny', 'apiUrl', options.apiUrl ?? 'https://api.bunny.net')
  const http = new VendorHttp('bunny', settings, options.fetch, [key])

  function requestFor(kind: PurgeKind, value: string): VendorRequest {
    const headers = { accesskey: key, accept: 'application/json' }
    if (kind === 'tag') {
      return {
        method: 'POST',
        url: `${api}/pullzone/${zone}/purgeCache`,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ CacheTag: value }),
      }
    }
    const url = encodeURIComponent(`${origin}${value}${kind === 'prefix' ? '*' : ''}`)
    // `async=false`: the answer comes when the purge is done.
    const exact = kind === 'url' && value.endsWith('/') ? '&exactPath=true' : ''
    return { method: 'POST', url: `${api}/purge?url=${url}&async=false${exact}`, headers }
  }

  const limit = (rate: typeof EXACT) =>
    ({ perRequest: 1, bucket: new TokenBucket(rate, settings.now), costs: 'value' }) as const

  return batchedInvalidator(
    {
      name: 'bunny',
      // No rate is documented for tags: the slower one is kept.
      limits: {
        url: limit(EXACT),
        prefix: limit(WILDCARD),
        ...(zone === undefined ? {} : { tag: limit(WILDCARD) }),
      },
      wildcardOf: path => (path.includes('*') ? path.slice(0, path.indexOf('*')) : undefined),
      problem,
      async send({ kind, values, signal }) {
        const answer = await http.send(requestFor(kind, values[0]!), signal)
        if (answer.status < 200 || answer.status > 299) throw http.refusal(answer, messageOf(answer))
        return NONE_FAILED
      },
    },
    settings,
  )
}

function problem({ kind, value }: Purge): string | undefined {
  if (kind !== 'tag') return undefined
  if (value.includes(',')) return 'has a comma, which separates tags'
  return Buffer.byteLength(value) > MAX_TAG_BYTES ? `is longer than ${MAX_TAG_BYTES} bytes` : undefined
}

function messageOf(answer: Answer): string | undefined {
  const { Message } = (answer.json ?? {}) as { Message?: unknown }
  return typeof Message === 'string' ? Message : undefined
}
