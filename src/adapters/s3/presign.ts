import type { S3RequestPresigner } from '@aws-sdk/s3-request-presigner'
import type { SignedMethod } from '../../core/capabilities.ts'
import type { SignRequest, SignUploadRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { encodeKey } from '../../core/keys.ts'
import type { KeyResult, SignedUpload, SignedUrl } from '../../core/results.ts'
import { encodeQuery, type Link, type S3Connection } from './connection.ts'
import { MAX_EXPIRES_IN } from './options.ts'
import { loadPresigner } from './peers.ts'
import { Sha256 } from './sha256.ts'

const NO_HEADERS = Object.freeze({})

/** Signs without a request, by the presigner of the SDK, prepared once. */
export class Presigner {
  readonly #connection: S3Connection
  readonly #windowMs: number
  #presigner: S3RequestPresigner | undefined
  /** When the credentials of the last signature end. */
  #credentialsEnd: Date | undefined

  constructor(connection: S3Connection, windowSeconds: number) {
    this.#connection = connection
    this.#windowMs = windowSeconds * 1000
  }

  async signMany(keys: readonly string[], request: SignRequest): Promise<KeyResult<SignedUrl>[]> {
    const { expiresIn, method, contentType, download } = request
    const link = await this.#connection.link()
    const date = this.#readingDate(method, expiresIn)
    const expiresAt = expiryOf(date, expiresIn)
    const headers = contentType === undefined ? NO_HEADERS : { 'content-type': contentType }
    const results: KeyResult<SignedUrl>[] = []
    for (const key of keys) {
      const query =
        download === undefined ? undefined : { 'response-content-disposition': attachment(download, key) }
      const url = await this.#sign(link, { method, key, query, headers, expiresIn, date })
      results.push({ key, ok: true, value: { url, expiresAt, method, headers } })
    }
    return results
  }

  async signPut({ key, expiresIn, contentType, size }: SignUploadRequest): Promise<SignedUpload> {
    const link = await this.#connection.link()
    const date = this.#connection.signingDate()
    const headers = {
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(size === undefined ? {} : { 'content-length': String(size) }),
    }
    const url = await this.#sign(link, { method: 'PUT', key, headers, expiresIn: expiresIn!, date })
    return { method: 'PUT', url, headers, expiresAt: expiryOf(date, expiresIn!) }
  }

  /** When a URL counts as signed: what only reads is the same wish for a whole window. */
  #readingDate(method: SignedMethod, expiresIn: number): Date {
    const date = this.#connection.signingDate()
    const windowMs = this.#windowMs
    if (windowMs === 0 || (method !== 'GET' && method !== 'HEAD')) return date
    if (expiresIn * 1000 <= windowMs)
      throw new StorageError(
        'invalid-argument',
        `expiresIn must be above windowSeconds, which is ${windowMs / 1000}: a URL may be as old as that when it is handed out`,
      )
    return new Date(Math.floor(date.getTime() / windowMs) * windowMs)
  }

  async #sign(
    link: Link,
    request: {
      readonly method: SignedMethod
      readonly key: string
      readonly query?: Record<string, string> | undefined
      readonly headers: Record<string, string>
      readonly expiresIn: number
      readonly date: Date
    },
  ): Promise<string> {
    const { endpoint } = link
    const { method, key, headers, expiresIn, date } = request
    this.#presigner ??= await this.#prepare(link)
    const path = `${endpoint.basePath}/${encodeKey(key)}`
    const signed = await this.#presigner.presign(
      {
        method,
        protocol: endpoint.protocol,
        hostname: endpoint.hostname,
        path,
        query: request.query ?? {},
        headers: { ...headers, host: endpoint.host },
      },
      { expiresIn, signingDate: date, signableHeaders: SIGNED_HEADERS },
    )
    assertOutlived(this.#credentialsEnd, expiresIn, date)
    return `${endpoint.origin}${path}?${encodeQuery(signed.query as Record<string, string>)}`
  }

  async #prepare({ credentials, endpoint }: Link): Promise<S3RequestPresigner> {
    const { S3RequestPresigner } = await loadPresigner()
    return new S3RequestPresigner({
      credentials: async () => {
        const given = await credentials()
        this.#credentialsEnd = given.expiration
        return given
      },
      region: endpoint.signingRegion,
      signingName: endpoint.signingName,
      sha256: Sha256,
      uriEscapePath: false,
    })
  }
}

/** SigV4 counts in whole seconds. */
export function expiryOf(date: Date, expiresIn: number): Date {
  return new Date((Math.floor(date.getTime() / 1000) + expiresIn) * 1000)
}

/** The presigner leaves the content type unsigned unless it is asked to sign it. */
const SIGNED_HEADERS = new Set(['content-type'])

export function assertLifetime(expiresIn: number | undefined): void {
  if (expiresIn !== undefined && expiresIn <= MAX_EXPIRES_IN) return
  throw new StorageError('invalid-argument', `expiresIn must be whole seconds from 1 to ${MAX_EXPIRES_IN}`)
}

/** A temporary credential takes its URLs with it when it ends. */
export function assertOutlived(expiration: Date | undefined, expiresIn: number, date: Date): void {
  if (expiration === undefined) return
  const left = Math.floor((expiration.getTime() - date.getTime()) / 1000)
  if (expiresIn <= left) return
  throw new StorageError(
    'invalid-argument',
    `the credentials end in ${Math.max(0, left)} seconds, and URLs signed with them; expiresIn must not be longer`,
  )
}

/** RFC 6266 with RFC 5987's form for what is not ASCII. An empty name stands for the key's own. */
export function attachment(name: string, key: string): string {
  const shown = name === '' ? (key.split('/').findLast(segment => segment !== '') ?? 'download') : name
  const ascii = shown.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_')
  if (ascii === shown) return `attachment; filename="${shown}"`
  const encoded = encodeURIComponent(shown).replace(
    /['()*]/g,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
