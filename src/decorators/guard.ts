import { setMaxListeners } from 'node:events'
import { DeadlinePassed, endedError, untilEnded } from '../core/deadline.ts'
import type { ByteSource } from '../core/download.ts'
import type { OperationName } from '../core/options.ts'

/** Calls back after so many milliseconds; returns what prevents it. */
export type Timer = (ms: number, call: () => void) => () => void

/** Bodies up to this many bytes that are wanted whole count as one chunk. */
const ONE_CHUNK_BYTES = 1024 * 1024

/** The caller's signal and a timer as one signal, and a wait that ends with it. */
export class Guard {
  readonly #controller = new AbortController()
  readonly #operation: OperationName
  readonly #key: string | undefined
  readonly #provider: string
  readonly #outer: AbortSignal | undefined
  readonly #timer: Timer
  #stop: (() => void) | undefined
  #over = false
  readonly #onAbort = () => this.#controller.abort(this.#outer!.reason)

  constructor(
    operation: OperationName,
    key: string | undefined,
    provider: string,
    outer: AbortSignal | undefined,
    timer: Timer,
  ) {
    this.#operation = operation
    this.#key = key
    this.#provider = provider
    this.#outer = outer
    this.#timer = timer
    // As in `deadline`: one signal may stand for many operations.
    if (outer !== undefined) setMaxListeners(0, outer)
    if (outer?.aborted) this.#onAbort()
    outer?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Starts the time anew. */
  arm(ms: number): void {
    this.disarm()
    // What was abandoned may still report progress.
    if (this.#over) return
    this.#stop = this.#timer(ms, () =>
      this.#controller.abort(new DeadlinePassed(`no sign of life for ${ms} ms`)),
    )
  }

  disarm(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  clear(): void {
    this.#over = true
    this.disarm()
    this.#outer?.removeEventListener('abort', this.#onAbort)
  }

  /**
   * `work`, or the error of what ended it; then `work` has `graceMs` to end by itself. What it gives when nobody waits any
   * more goes to `giveBack`.
   */
  async until<T>(work: Promise<T>, graceMs = 0, giveBack?: (late: T) => unknown): Promise<T> {
    try {
      return await untilEnded(work, this.signal, giveBack)
    } catch (error) {
      if (!this.signal.aborted) throw error
      if (graceMs > 0) await this.#within(graceMs, work)
      throw endedError(this.signal, this.#operation, this.#provider, this.#key)
    }
  }

  #within(ms: number, work: Promise<unknown>): Promise<void> {
    return new Promise(resolve => {
      const stop = this.#timer(ms, resolve)
      const done = () => {
        stop()
        resolve()
      }
      work.then(done, done)
    })
  }
}

/** `source`, with `idleMs` for each chunk that is asked for. */
export function guarded(source: ByteSource, guard: Guard, idleMs: number, length: number): ByteSource {
  const idle = async <T>(work: Promise<T>): Promise<T> => {
    guard.arm(idleMs)
    try {
      return await guard.until(work)
    } finally {
      guard.disarm()
    }
  }
  const { bytes } = source
  return {
    cancel: () => source.cancel(),
    ...(bytes && length <= ONE_CHUNK_BYTES ? { bytes: () => idle(bytes()) } : {}),
    async *chunks() {
      const chunks = source.chunks()[Symbol.asyncIterator]()
      for (;;) {
        const step = await idle(chunks.next())
        if (step.done) return
        yield step.value
      }
    },
  }
}

export function startTimer(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms)
  return () => clearTimeout(timer)
}
