import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SignedMethod } from './capabilities.ts'
import { StorageError } from './errors.ts'
import { assertFactoryOptions } from './factory-options.ts'
import { encodeKey } from './keys.ts'

/** How URLs of local and memory storage are signed. The same object goes to the provider and to the server. */
export interface UrlSigning {
  /** Where the server is mounted: `https://example.org/files`. */
  readonly baseUrl: string
  /** At least 16 characters. Whoever has it can read and write every object. */
  readonly secret: string
  /** Secrets of before: their URLs are still honoured, none is made with them. */
  readonly previousSecrets?: readonly string[]
}

/** What a URL allows. Every field is signed. */
export interface UrlClaims {
  readonly key: string
  readonly method: SignedMethod
  /** Seconds since 1970. */
  readonly expires: number
  /** The name to save under; empty for the key's own. */
  readonly download?: string
  readonly contentType?: string
  /** Exact bytes of an upload. */
  readonly size?: number
  /** Most bytes of an upload. */
  readonly maxSize?: number
}

export type UrlVerdict =
  | { readonly ok: true; readonly claims: UrlClaims }
  | { readonly ok: false; readonly reason: 'unsigned' | 'bad-signature' | 'expired' | 'wrong-method' }

const MIN_SECRET = 16
/** Names of the query parameters, in the order in which they are signed. */
const PARAMETERS = ['method', 'expires', 'download', 'contentType', 'size', 'maxSize'] as const

/** Signs and verifies the URLs of one server. @throws `invalid-argument` for an unknown field, a short secret or a bad base URL */
export class UrlToken {
  readonly baseUrl: string
  readonly #secrets: readonly string[]

  constructor(signing: UrlSigning) {
    assertFactoryOptions('signing', signing, {
      baseUrl: 'string',
      secret: 'string',
      previousSecrets: 'array',
    })
    const secrets = [signing.secret, ...(signing.previousSecrets ?? [])]
    if (secrets.some(secret => typeof secret !== 'string' || secret.length < MIN_SECRET)) {
      throw new StorageError(
        'invalid-argument',
        `a signing secret must have at least ${MIN_SECRET} characters`,
      )
    }
    if (!/^https?:$/.test(URL.canParse(signing.baseUrl) ? new URL(signing.baseUrl).protocol : '')) {
      throw new StorageError(
        'invalid-argument',
        'baseUrl must be an http or https address such as https://example.org/files',
      )
    }
    this.baseUrl = signing.baseUrl.replace(/[?#].*$/, '').replace(/\/+$/, '')
    this.#secrets = secrets
  }

  /** The URL that allows what `claims` say. */
  sign(claims: UrlClaims): string {
    const query = new URLSearchParams()
    for (const name of PARAMETERS) {
      const value = claims[name]
      if (value !== undefined) query.set(name, String(value))
    }
    query.set('signature', signature(this.#secrets[0]!, this.baseUrl, claims))
    return `${this.publicUrl(claims.key)}?${query}`
  }

  publicUrl(key: string): string {
    return `${this.baseUrl}/${encodeKey(key)}`
  }

  /** Whether a request for `key` by `method` is allowed by `query` at `now` (milliseconds). */
  verify(key: string, method: string, query: URLSearchParams, now: number): UrlVerdict {
    const given = query.get('signature')
    if (given === null) return { ok: false, reason: 'unsigned' }
    const claims = readClaims(key, query)
    if (claims === undefined || !this.#isOurs(given, claims)) return { ok: false, reason: 'bad-signature' }
    if (now >= claims.expires * 1000) return { ok: false, reason: 'expired' }
    // Who may read may also look, as with every store that signs GET.
    if (method !== claims.method && !(method === 'HEAD' && claims.method === 'GET'))
      return { ok: false, reason: 'wrong-method' }
    return { ok: true, claims }
  }

  #isOurs(given: string, claims: UrlClaims): boolean {
    const bytes = Buffer.from(given)
    let ours = false
    for (const secret of this.#secrets) {
      const expected = Buffer.from(signature(secret, this.baseUrl, claims))
      // All secrets are tried and compared in constant time, so that timing tells nothing of any.
      if (expected.length === bytes.length && timingSafeEqual(expected, bytes)) ours = true
    }
    return ours
  }
}

/**
 * HMAC-SHA256 over a form in which no two sets of claims look alike. The base URL is part of it: two roots served
 * with one secret don't take each other's URLs.
 */
function signature(secret: string, baseUrl: string, claims: UrlClaims): string {
  const signed = JSON.stringify([
    'stowage-url-1',
    baseUrl,
    claims.key,
    ...PARAMETERS.map(name => claims[name] ?? null),
  ])
  return createHmac('sha256', secret).update(signed).digest('base64url')
}

function readClaims(key: string, query: URLSearchParams): UrlClaims | undefined {
  // A parameter given twice could mean one thing here and another behind a proxy.
  for (const name of new Set(query.keys())) if (query.getAll(name).length > 1) return undefined
  const whole = (name: string) => {
    const text = query.get(name)
    return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }
  const expires = whole('expires')
  const method = query.get('method')
  if (expires === undefined || method === null) return undefined
  const claims: Record<string, unknown> = { key, method, expires }
  for (const name of ['download', 'contentType'] as const) if (query.has(name)) claims[name] = query.get(name)
  for (const name of ['size', 'maxSize'] as const) if (query.has(name)) claims[name] = whole(name)
  return claims as unknown as UrlClaims
}
