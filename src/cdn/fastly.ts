import { StorageError } from '../core/errors.ts'
import type { Invalidator } from '../core/invalidator.ts'
import { TokenBucket } from '../core/token-bucket.ts'
import { batchedInvalidator, NONE_FAILED } from './batched-invalidator.ts'
import { idOf, least, originOf, type PurgeOptions, purgeSettings, secretOf } from './purge-settings.ts'
import type { Purge } from './purge-targets.ts'
import { type Answer, type PurgeFetch, VendorHttp } from './vendor-request.ts'

export interface FastlyOptions extends PurgeOptions {
  /** A token with the scope `purge_select`. */
  apiToken: string
  /** Where the files are served: `https://files.example.org`. */
  baseUrl: string
  /** The service whose surrogate keys are purged. Absent: tags are left out, URLs alone are purged. */
  serviceId?: string
  /**
   * Marks as stale instead of removing. A stale answer may still be served while it is renewed or while the origin
   * fails, so a deleted file may live on. Default: false.
   */
  soft?: boolean
  /** Surrogate keys in one request, 1 to 256. Default: 256. */
  perRequest?: number
  /** The API. Default: `https://api.fastly.com`. */
  apiUrl?: string
  /** Default: the global `fetch`. */
  fetch?: PurgeFetch
}

/** https://www.fastly.com/documentation/reference/api/purging/ (bulk purge) */
const MAX_KEYS = 256
/** https://www.fastly.com/documentation/reference/http/http-headers/Surrogate-Key/ */
const MAX_KEY_BYTES = 1024
/**
 * 100,000 purges an hour, of URLs and of keys each, per customer.
 * https://docs.fastly.com/products/network-services-resource-limits
 */
const RATE = { burst: 5_000, perSecond: 95_000 / 3_600 }

/**
 * Tells Fastly's cache by URL and by surrogate key, hard unless `soft` says otherwise. There is no purge by prefix.
 *
 * A batch of keys is answered key by key: what the answer leaves out is told again. A URL is purged in every service
 * that serves it.
 *
 * Written from Fastly's documents and tested against a stand-in; Fastly itself was never called.
 * Source: https://www.fastly.com/documentation/reference/api/purging/
 *
 * @throws `invalid-argument` for options that can't be meant
 * @example
 * ```ts
 * const cdn = fastly({ serviceId: 'SU1Z0isxPaozGVKXdv0eY', apiToken: 'token', baseUrl: 'https://files.example.org' })
 * const [result] = await cdn.invalidate([{ key: 'a/photo.jpg', paths: [], tags: ['photo-1'] }])
 * ```
 */
export function fastly(options: FastlyOptions): Invalidator {
  const settings = purgeSettings('fastly', options, {
    apiToken: 'string',
    baseUrl: 'string',
    serviceId: 'string',
    soft: 'boolean',
    perRequest: 'number',
    apiUrl: 'string',
    fetch: 'function',
  })
  const token = secretOf('fastly', 'apiToken', options.apiToken)
  const host = originOf('fastly', 'baseUrl', options.baseUrl).replace(/^https?:\/\//, '')
  const service = options.serviceId === undefined ? undefined : idOf('fastly', 'serviceId', options.serviceId)
  const perRequest = Math.min(MAX_KEYS, least('fastly', 'perRequest', options.perRequest ?? MAX_KEYS, 1))
  const api = originOf('fastly', 'apiUrl', options.apiUrl ?? 'https://api.fastly.com')
  const http = new VendorHttp('fastly', settings, options.fetch, [token])
  const headers = {
    'fastly-key': token,
    accept: 'application/json',
    ...(options.soft ? { 'fastly-soft-purge': '1' } : {}),
  }
  const bucket = () => new TokenBucket(RATE, settings.now)

  async function purgeUrl(path: string, signal: AbortSignal | undefined): Promise<void> {
    const answer = await http.send({ method: 'POST', url: `${api}/purge/${host}${path}`, headers }, signal)
    const { status } = (answer.json ?? {}) as { status?: unknown }
    if (answer.status !== 200 || status !== 'ok') throw http.refusal(answer, messageOf(answer))
  }

  async function purgeKeys(keys: readonly string[], signal: AbortSignal | undefined) {
    const url = `${api}/service/${service}/purge`
    const body = JSON.stringify({ surrogate_keys: keys })
    const json = { ...headers, 'content-type': 'application/json' }
    const answer = await http.send({ method: 'POST', url, headers: json, body }, signal)
    const ids = answer.json
    if (answer.status !== 200 || typeof ids !== 'object' || ids === null)
      throw http.refusal(answer, messageOf(answer))
    const left = keys.filter(key => !Object.hasOwn(ids, key))
    return left.length === 0 ? NONE_FAILED : new Map(left.map(key => [key, leftOut()]))
  }

  return batchedInvalidator(
    {
      name: 'fastly',
      limits: {
        url: { perRequest: 1, bucket: bucket(), costs: 'value' },
        ...(service === undefined ? {} : { tag: { perRequest, bucket: bucket(), costs: 'value' as const } }),
      },
      problem,
      async send({ kind, values, signal }) {
        if (kind === 'tag') return purgeKeys(values, signal)
        await purgeUrl(values[0]!, signal)
        return NONE_FAILED
      },
    },
    settings,
  )
}

function problem({ kind, value }: Purge): string | undefined {
  if (kind !== 'tag') return undefined
  if (/\s/.test(value)) return 'has a space, which separates surrogate keys'
  return Buffer.byteLength(value) > MAX_KEY_BYTES ? `is longer than ${MAX_KEY_BYTES} bytes` : undefined
}

function leftOut(): StorageError {
  return new StorageError('unavailable', 'invalidate: fastly did not confirm the surrogate key', {
    operation: 'invalidate',
    provider: 'fastly',
  })
}

function messageOf(answer: Answer): string | undefined {
  const { msg, detail } = (answer.json ?? {}) as { msg?: unknown; detail?: unknown }
  return [msg, detail].filter(part => typeof part === 'string').join(', ')
}
