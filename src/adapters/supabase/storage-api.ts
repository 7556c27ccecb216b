import { DeadlinePassed } from '../../core/deadline.ts'
import { StorageError } from '../../core/errors.ts'
import { retryAfterMs } from '../../core/translate.ts'
import type { Connection } from './connection.ts'
import { failureOf, type StorageFailure } from './storage-failure.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** Behind `/storage/v1`, encoded. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly bytes?: Uint8Array
  readonly signal: AbortSignal | undefined
  /** Changes nothing, so that it is sent again at once where a kept connection turns out to be closed. */
  readonly readOnly?: boolean
}

export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** An answer whose body is read as it comes. `cancel` frees its connection. */
export interface OpenAnswer {
  readonly status: number
  readonly headers: Headers
  chunks(): AsyncIterable<Uint8Array>
  cancel(): void
}

/** What a kept connection fails with when the server had closed it. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** The storage API over HTTP, with the caller's credentials and a limit on silence. */
export class StorageApi {
  readonly connection: Connection
  readonly #timeoutMs: number

  constructor(connection: Connection, timeoutMs: number) {
    this.connection = connection
    this.#timeoutMs = timeoutMs
  }

  /** The JSON of a success. @throws `StorageFailure` for a refusal */
  async json(request: ApiRequest): Promise<unknown> {
    const answer = await this.send(request)
    if (answer.status >= 300) throw this.failure(answer)
    try {
      return JSON.parse(answer.text)
    } catch {
      throw garbage(answer.status)
    }
  }

  /** Any answer, whole. */
  async send(request: ApiRequest): Promise<ApiAnswer> {
    const { status, headers, response, silence } = await this.#exchange(request)
    try {
      return { status, headers, text: await response.text() }
    } catch (error) {
      throw silence.explain(error)
    } finally {
      silence.clear()
    }
  }

  /** A success whose body follows. @throws `StorageFailure` for a refusal */
  async open(request: ApiRequest): Promise<OpenAnswer> {
    const { status, headers, response, silence } = await this.#exchange(request)
    if (status >= 300) {
      try {
        throw this.failure({ status, headers, text: await response.text() })
      } finally {
        silence.clear()
      }
    }
    silence.pause()
    const cancel = () => {
      silence.clear()
      silence.end()
    }
    return {
      status,
      headers,
      cancel,
      async *chunks() {
        try {
          const reader = response.body?.getReader()
          for (;;) {
            silence.renew()
            const { value, done } = (await reader?.read()) ?? { value: undefined, done: true }
            silence.pause()
            if (done) return
            yield value
          }
        } catch (error) {
          throw silence.explain(error)
        } finally {
          cancel()
        }
      },
    }
  }

  failure({ status, headers, text }: ApiAnswer): StorageFailure {
    const requestId = headers.get('sb-request-id') ?? headers.get('x-request-id') ?? headers.get('cf-ray')
    const wait = retryAfterMs(headers.get('retry-after'), Date.now())
    return failureOf(status, this.connection.scrub(text), {
      ...(requestId === null ? {} : { requestId }),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    })
  }

  async #exchange(request: ApiRequest) {
    try {
      return await this.#attempt(request)
    } catch (error) {
      if (request.readOnly !== true || !isBroken(error) || request.signal?.aborted) throw error
      return this.#attempt(request)
    }
  }

  async #attempt({ method, path, headers, json, bytes, signal }: ApiRequest) {
    const { connection } = this
    const slack = Math.floor((bytes?.length ?? 0) / 65_536) * 1000
    const silence = new Silence(this.#timeoutMs + slack, signal)
    try {
      const response = await connection.fetch(`${connection.storageUrl}${path}`, {
        method,
        headers: {
          ...connection.headers,
          // An answer that is compressed on the way has another length than the object.
          'accept-encoding': 'identity',
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(bytes === undefined ? {} : { body: bytes as Uint8Array<ArrayBuffer> }),
        redirect: 'manual',
        signal: silence.signal,
      })
      silence.renew()
      return { response, status: response.status, headers: response.headers, silence }
    } catch (error) {
      silence.clear()
      throw silence.explain(error)
    }
  }
}

/** Ends a request when the caller does, or when nothing has come for too long. */
class Silence {
  readonly #controller = new AbortController()
  readonly #ms: number
  readonly #caller: AbortSignal | undefined
  readonly #onAbort = () => this.#controller.abort(this.#caller?.reason)
  #timer: NodeJS.Timeout | undefined
  #passed = false

  constructor(ms: number, caller: AbortSignal | undefined) {
    this.#ms = ms
    this.#caller = caller
    if (caller?.aborted) this.#onAbort()
    caller?.addEventListener('abort', this.#onAbort, { once: true })
    this.renew()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  renew(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#passed = true
      this.#controller.abort(new DeadlinePassed(`nothing came for ${this.#ms} ms`))
    }, this.#ms)
  }

  /** Time in which the caller is at work does not count. */
  pause(): void {
    clearTimeout(this.#timer)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener('abort', this.#onAbort)
  }

  end(): void {
    this.#controller.abort()
  }

  explain(error: unknown): unknown {
    if (!this.#passed) return error
    return new StorageError('timeout', `the server was silent for ${this.#ms} ms`, { cause: error })
  }
}

export function isBroken(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (BROKEN.has((at as { code?: string }).code ?? '')) return true
  }
  return false
}

export function garbage(status: number): StorageError {
  return new StorageError(
    'internal',
    `the server answered ${status} with something that is not of Supabase Storage; is the url right?`,
    { status },
  )
}
