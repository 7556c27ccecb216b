import type { S3Client } from '@aws-sdk/client-s3'
import type { Dispatcher } from 'undici'
import { digest, EMPTY_SHA256 } from '../../core/checksum.ts'
import { encodeKey } from '../../core/keys.ts'
import { DirectReads } from './direct-reads.ts'
import { DEFAULT_REGION, type Endpoint, plainEndpoint, resolveEndpoint } from './endpoint.ts'
import { failureOf, type S3Failure } from './errors.ts'
import { wireHeaders } from './object-headers.ts'
import { CONNECTION_OPTIONS, type S3ConnectionOptions, type S3Options, type S3Settings } from './options.ts'
import { loadAgent, loadSdk, type S3Sdk } from './peers.ts'
import { type Credentials, RequestSigner } from './request-signer.ts'
import { type HttpAnswer, send } from './transport.ts'

/** One request in S3's terms. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Absent for a request about the bucket. */
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  /** SHA-256 of the body, where it is at hand already. */
  readonly payloadHash?: string
  /** Memory for the body of a range, just as long as it: it is in there where the answer's only chunk is this memory. */
  readonly into?: Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
}

/** What is known once the endpoint is resolved. */
export interface Link {
  readonly endpoint: Endpoint
  readonly credentials: () => Credentials | Promise<Credentials>
  readonly signer: RequestSigner
  readonly dispatcher: Dispatcher
  /** Absent where bytes are encrypted on their way, or pass the caller's own dispatcher. */
  readonly direct: DirectReads | undefined
}

/** The SDK with a client. */
export interface SdkClient {
  readonly sdk: S3Sdk
  readonly client: S3Client
}

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

/**
 * The lean path: one signed request over one kept connection, with the client's own credentials, region and
 * endpoint, and without the SDK's middleware. Opened by the first request.
 */
export class S3Connection {
  readonly #options: S3Options
  readonly #settings: S3Settings
  #link: Link | undefined
  #opening: Promise<Link> | undefined
  #client: Promise<SdkClient> | undefined
  /** Whether the bucket has answered anything yet. */
  bucketSeen = false
  /** Milliseconds that the server's clock is ahead, as far as it has complained. */
  #clockOffset = 0

  constructor(options: S3Options, settings: S3Settings) {
    this.#options = options
    this.#settings = settings
  }

  async link(): Promise<Link> {
    return this.#link ?? this.#open()
  }

  /** The caller's client, or one of these options. */
  sdk(): Promise<SdkClient> {
    this.#client ??= this.#loadClient().catch(error => {
      this.#client = undefined
      throw error
    })
    return this.#client
  }

  async #loadClient(): Promise<SdkClient> {
    const sdk = await loadSdk()
    return { sdk, client: this.#options.client ?? makeClient(sdk, this.#options) }
  }

  /** Now, by the server's clock. */
  signingDate(): Date {
    return new Date(this.#settings.now() + this.#clockOffset)
  }

  /** Sends and returns a good answer. @throws `S3Failure` for any other */
  async send(request: S3Request): Promise<HttpAnswer> {
    const link = this.#link ?? (await this.#open())
    const { endpoint } = link
    const { method, key, query, body, signal } = request
    const path = key === undefined ? endpoint.bucketPath : `${endpoint.basePath}/${encodeKey(key)}`
    const queryText = query === undefined ? '' : encodeQuery(query)
    const headers = await link.signer.sign(
      {
        method,
        path,
        query: queryText,
        headers: {
          host: endpoint.host,
          ...request.headers,
          'x-amz-content-sha256': request.payloadHash ?? payloadHash(body, endpoint.protocol),
        },
      },
      this.signingDate(),
    )
    const sent = {
      path: queryText === '' ? path : `${path}?${queryText}`,
      headers: wireHeaders(headers),
      signal,
    }
    const direct = request.into && (await link.direct?.read(sent, request.into))
    const answer = direct ?? (await send(link.dispatcher, { method, origin: endpoint.origin, body, ...sent }))
    if (answer.status >= 200 && answer.status < 300) {
      this.bucketSeen = true
      return answer
    }
    const failure = await failureOf(answer)
    this.#noteClock(failure, answer)
    throw failure
  }

  #noteClock(failure: S3Failure, answer: HttpAnswer): void {
    if (failure.s3Code !== 'RequestTimeTooSkewed') return
    const serverNow = Date.parse(String(answer.headers.date))
    if (!Number.isNaN(serverNow)) this.#clockOffset = serverNow - this.#settings.now()
  }

  #open(): Promise<Link> {
    // A failure is not kept: credentials or a server may be there the next time.
    this.#opening ??= this.#connect().catch(error => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #connect(): Promise<Link> {
    const Agent = await loadAgent()
    const { endpoint, credentials } = fixedAddress(this.#options) ?? (await this.#askClient())
    const { connections, requestTimeoutMs } = this.#settings
    const dispatcher =
      this.#options.dispatcher ??
      new Agent({
        connections,
        pipelining: 1,
        headersTimeout: requestTimeoutMs,
        bodyTimeout: requestTimeoutMs,
        connect: { timeout: requestTimeoutMs },
      })
    const signer = new RequestSigner(endpoint, credentials)
    const direct =
      this.#options.dispatcher === undefined ? DirectReads.from(endpoint, this.#settings) : undefined
    this.#link = { endpoint, credentials, signer, dispatcher, direct }
    return this.#link
  }

  async #askClient(): Promise<Pick<Link, 'endpoint' | 'credentials'>> {
    const { sdk, client } = await this.sdk()
    const endpoint = await resolveEndpoint(sdk, client, this.#settings.bucket)
    return { endpoint, credentials: () => client.config.credentials() }
  }

  async close(): Promise<void> {
    const link = await this.#opening?.catch(() => undefined)
    link?.direct?.close()
    if (link !== undefined && this.#options.dispatcher === undefined) await link.dispatcher.destroy()
    const made = this.#options.client === undefined ? await this.#client?.catch(() => undefined) : undefined
    made?.client.destroy()
  }
}

/** Where the options say all that a client could: then the SDK, which takes long to load, has nothing to decide. */
function fixedAddress(options: S3Options): Pick<Link, 'endpoint' | 'credentials'> | undefined {
  if (options.client !== undefined) return undefined
  const { credentials } = options
  const isFixed =
    typeof credentials === 'object' &&
    typeof credentials.accessKeyId === 'string' &&
    typeof credentials.secretAccessKey === 'string'
  const endpoint = isFixed ? plainEndpoint(options) : undefined
  return endpoint === undefined ? undefined : { endpoint, credentials: () => credentials as Credentials }
}

function makeClient(sdk: S3Sdk, options: S3ConnectionOptions): S3Client {
  const config: Partial<Record<(typeof CONNECTION_OPTIONS)[number], unknown>> = {}
  for (const name of CONNECTION_OPTIONS) if (options[name] !== undefined) config[name] = options[name]
  if (config.endpoint !== undefined) config.region ??= DEFAULT_REGION
  return new sdk.S3Client({
    ...(config as S3ConnectionOptions),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}

/** Over TLS the bytes are protected on their way; without it a signature over them does that. */
function payloadHash(body: S3Request['body'], protocol: string): string {
  if (body === undefined) return EMPTY_SHA256
  if (protocol === 'https:' || !(body instanceof Uint8Array)) return UNSIGNED_PAYLOAD
  return digest('sha256', body)
}

/** In the order of the names, as a signature covers it. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  let text = ''
  for (const name of Object.keys(query).sort())
    text += `${text === '' ? '' : '&'}${encodeValue(name)}=${encodeValue(query[name]!)}`
  return text
}

const UNRESERVED = /^[\w.~-]*$/

/** A signature covers slashes in a query as `%2F`. */
function encodeValue(text: string): string {
  return UNRESERVED.test(text) ? text : encodeKey(text).replaceAll('/', '%2F')
}
