import type { Dispatcher } from 'undici'
import type { ByteSource } from '../../core/download.ts'

export interface HttpRequest {
  readonly method: string
  readonly origin: string
  /** Path and query, encoded. */
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer whose body has yet to come. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Pick<AnswerBody, 'pausable' | 'chunks' | 'bytes' | 'text' | 'cancel'>
}

/** Unread bytes that may wait in memory before the socket is paused. */
const HIGH_WATER_BYTES = 256 * 1024
/** Unread bytes that may wait in memory where the socket must not be paused. */
export const MAX_UNREAD_BYTES = 1024 * 1024

/** More bytes than may wait have come of an answer that can't be paused; its request was given up. */
export class ReaderTooSlow extends Error {
  override readonly name = 'ReaderTooSlow'

  constructor() {
    super('the reader was too slow for a server that closes its connection')
  }
}

/**
 * Sends one request over undici's lowest layer: no web streams, and no listener on a signal unless one is given,
 * because on small objects those cost more than the request.
 */
export function send(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { method, origin, path, headers, body, signal } = request
    if (signal?.aborted) return reject(signal.reason)
    const answer = new AnswerBody(reject, resolve, signal)
    dispatcher.dispatch(
      // Typed for Node streams; undici takes any async iterable of bytes.
      {
        method: method as Dispatcher.HttpMethod,
        origin,
        path,
        headers,
        body: (inSlices(body) ?? null) as Uint8Array | null,
        // undici ends the connection behind each HEAD, for servers that send a body with it; stores don't, and a new
        // connection costs more than the request.
        ...(method === 'HEAD' ? { reset: false } : {}),
      },
      answer,
    )
  })
}

/** undici's limit on silence is put off by each piece that is written: a long body goes in several. */
const SLICE_BYTES = 256 * 1024

function inSlices(body: HttpRequest['body']): HttpRequest['body'] {
  return body instanceof Uint8Array && body.length > SLICE_BYTES ? slices(body) : body
}

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES)
}

/** The bytes of an answer as undici delivers them: kept until they are asked for, whole or chunk by chunk. */
export class AnswerBody implements ByteSource, Dispatcher.DispatchHandler {
  readonly #reject: (reason: unknown) => void
  readonly #resolve: (answer: HttpAnswer) => void
  readonly #signal: AbortSignal | undefined
  #controller: Dispatcher.DispatchController | undefined
  #chunks: Uint8Array[] = []
  #waiting = 0
  /** Bytes that have yet to come, where the answer says how many. */
  #expected = Number.POSITIVE_INFINITY
  #state: 'open' | 'ended' | 'failed' = 'open'
  #error: unknown
  /** Told when a chunk, the end or a failure has come. */
  #wake: (() => void) | undefined
  #wantsAll = false
  #pausable = true
  readonly #onAbort = () => {
    // A request that still waits for a connection is dropped when it gets one; nobody waits for that.
    this.#reject(this.#signal!.reason)
    this.#controller?.abort(this.#signal!.reason)
  }

  constructor(
    reject: (reason: unknown) => void,
    resolve: (answer: HttpAnswer) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#reject = reject
    this.#resolve = resolve
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** False for an answer that ends with its connection: undici ends the process where one is paused. */
  get pausable(): boolean {
    return this.#pausable
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal?.aborted) controller.abort(this.#signal.reason)
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    this.#expected = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
    this.#pausable = !closesBehind(headers)
    this.#resolve({ status, headers, body: this })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#chunks.push(chunk)
    this.#waiting += chunk.length
    this.#expected -= chunk.length
    // Not at the last byte: nothing more will come, and a server of HTTP/1.0 closes behind it without saying so.
    if (!this.#wantsAll && this.#expected > 0) this.#holdBack(controller)
    if (!this.#wantsAll) this.#notify()
  }

  onResponseEnd(): void {
    this.#finish('ended')
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#state !== 'open') return
    this.#error = error
    this.#reject(error)
    this.#finish('failed')
  }

  async bytes(): Promise<Uint8Array> {
    this.#wantsAll = true
    this.#controller?.resume()
    while (this.#state === 'open') await this.#news()
    if (this.#state === 'failed') throw this.#error
    const chunks = this.#chunks
    this.#chunks = []
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  }

  async text(): Promise<string> {
    return Buffer.from(await this.bytes()).toString('utf8')
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
          this.#waiting -= chunk.length
          yield chunk
        }
        if (this.#state === 'failed') throw this.#error
        if (this.#state === 'ended') return
        // Waited for from before: `resume` may hand out data, and the end, before it returns.
        const news = this.#news()
        this.#controller?.resume()
        await news
      }
    } finally {
      this.cancel()
    }
  }

  cancel(): void {
    if (this.#state !== 'open') return
    this.#controller?.abort(new DOMException('the body is not wanted', 'AbortError'))
  }

  #holdBack(controller: Dispatcher.DispatchController): void {
    if (this.#pausable) {
      if (this.#waiting > HIGH_WATER_BYTES) controller.pause()
    } else if (this.#waiting > MAX_UNREAD_BYTES) {
      this.#error = new ReaderTooSlow()
      this.#finish('failed')
      controller.abort(this.#error as Error)
    }
  }

  #news(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #finish(state: 'ended' | 'failed'): void {
    this.#state = state
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#notify()
  }
}

/**
 * undici 7 ends the process when a connection that is not kept ends behind a paused answer
 * (https://github.com/nodejs/undici/issues/5360). Not kept is what says so, or has no end of its own.
 */
function closesBehind(headers: HttpAnswer['headers']): boolean {
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return true
  return /(?:^|,)\s*close\s*(?:,|$)/i.test(String(headers.connection ?? ''))
}
