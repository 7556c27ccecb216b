import { deadline } from '../core/deadline.ts'
import { StorageError } from '../core/errors.ts'
import { codeOfStatus, retryAfterMs } from '../core/translate.ts'
import type { PurgeSettings } from './purge-settings.ts'

/** The part of the global `fetch` that is used here. */
export type PurgeFetch = (
  url: string,
  init: {
    method: string
    headers: Record<string, string>
    body?: string
    redirect: 'manual'
    signal?: AbortSignal
  },
) => Promise<{
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}>

export interface VendorRequest {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  /** The body where it is JSON, else undefined. */
  readonly json: unknown
  readonly text: string
  /** Milliseconds that the vendor asks to wait, where it does. */
  readonly retryAfterMs: number | undefined
  readonly requestId: string | undefined
}

/** One vendor's HTTP: a time limit, no redirect, and no secret in what comes back. */
export class VendorHttp {
  readonly #name: string
  readonly #fetch: PurgeFetch
  readonly #settings: PurgeSettings
  readonly #secrets: readonly string[]

  constructor(
    name: string,
    settings: PurgeSettings,
    fetch: PurgeFetch | undefined,
    secrets: readonly string[],
  ) {
    this.#name = name
    this.#settings = settings
    // Looked up at each call, so that an instrumented or replaced global is used.
    this.#fetch = fetch ?? ((url, init) => globalThis.fetch(url, init))
    this.#secrets = secrets.filter(secret => secret.length >= 4)
  }

  /** @throws `timeout`, `unavailable`, … where no whole answer came: the vendor may have done it */
  async send(request: VendorRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const ends = deadline({ signal, timeoutMs: this.#settings.requestTimeoutMs }, 'invalidate', this.#name)
    try {
      // A redirect would carry the token's header to another host.
      const response = await this.#fetch(request.url, {
        method: request.method,
        headers: request.headers,
        redirect: 'manual',
        signal: ends.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      })
      const text = await response.text()
      return {
        status: response.status,
        text,
        json: parsed(text),
        retryAfterMs: this.#retryAfter(response.headers),
        requestId: requestIdOf(response.headers),
      }
    } catch (error) {
      if (ends.signal?.aborted && !signal?.aborted) {
        throw new StorageError(
          'timeout',
          `invalidate: ${this.#name} gave no answer within ${this.#settings.requestTimeoutMs} ms`,
          { operation: 'invalidate', provider: this.#name },
        )
      }
      throw this.#scrubbed(error)
    } finally {
      ends.clear()
    }
  }

  /** What an answer means that is no success. `said`: what the vendor says in it. */
  refusal(answer: Answer, said?: string, code = codeOfStatus(answer.status)): StorageError {
    const { status, requestId, retryAfterMs } = answer
    const reason = said === undefined || said === '' ? '' : `: ${this.#scrub(said).slice(0, 300)}`
    return new StorageError(
      code,
      `invalidate: ${this.#name} answered ${status}${reason}${ADVICE[code] ?? ''}`,
      {
        operation: 'invalidate',
        provider: this.#name,
        status,
        ...(requestId === undefined ? {} : { requestId }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        // A page of a proxy, or a new error of the vendor's: nothing says that it lasts.
        ...(code === 'internal' && status < 300 ? { retryable: true } : {}),
      },
    )
  }

  #retryAfter(headers: { get(name: string): string | null }): number | undefined {
    const now = this.#settings.now()
    const asked = retryAfterMs(headers.get('retry-after'), now)
    if (asked !== undefined) return asked
    // Fastly gives the end of the window instead, in seconds since 1970.
    // https://www.fastly.com/documentation/reference/api/#rate-limiting
    const reset = headers.get('fastly-ratelimit-reset')
    const left = headers.get('fastly-ratelimit-remaining')
    if (reset === null || !/^\d+$/.test(reset) || left !== '0') return undefined
    return Math.max(0, Number(reset) * 1000 - now)
  }

  #scrub(text: string): string {
    return this.#secrets.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
  }

  /** A copy with what translation needs: a client may put the headers it sent into its messages. */
  #scrubbed(error: unknown, depth = 0): unknown {
    if (typeof error === 'string') return this.#scrub(error)
    if (!(error instanceof Error) || error instanceof StorageError || depth > 5) return error
    const copy = new Error(this.#scrub(error.message), { cause: this.#scrubbed(error.cause, depth + 1) })
    copy.name = error.name
    if (error.stack !== undefined) copy.stack = this.#scrub(error.stack)
    return 'code' in error ? Object.assign(copy, { code: error.code }) : copy
  }
}

const ADVICE: Readonly<Partial<Record<string, string>>> = {
  unauthenticated: '; is the token right and not revoked?',
  'permission-denied': '; may the token purge?',
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function requestIdOf(headers: { get(name: string): string | null }): string | undefined {
  return headers.get('cf-ray') ?? headers.get('x-request-id') ?? undefined
}
