import { assertText, type BodyOptions, bodyError } from './body-failures.ts'
import type { BodySource } from './body-source.ts'
import { endedError } from './deadline.ts'
import { StorageError } from './errors.ts'

/** Reads a source chunk by chunk; a pending read ends when the signal does, even where the source hangs. */
export class SourceReader {
  readonly #source: BodySource
  readonly #options: BodyOptions
  readonly #ahead: Uint8Array[] = []
  #done = false
  #reject: ((reason: unknown) => void) | undefined
  readonly #onAbort = () => this.#reject?.(this.#ended())

  constructor(source: BodySource, options: BodyOptions) {
    this.#source = source
    this.#options = options
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  #ended(): StorageError {
    return endedError(this.#options.signal!, 'upload', this.#options.provider, this.#options.key)
  }

  async readAhead(bytes: number): Promise<Uint8Array> {
    let have = 0
    while (have < bytes) {
      const chunk = await this.#pull()
      if (chunk === undefined) break
      this.#ahead.push(chunk)
      have += chunk.length
    }
    return this.#ahead.length === 1 ? this.#ahead[0]! : Buffer.concat(this.#ahead)
  }

  /** The next chunk that is not empty, or undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    return this.#ahead.shift() ?? (await this.#pull())
  }

  async #pull(): Promise<Uint8Array | undefined> {
    while (!this.#done) {
      if (this.#options.signal?.aborted) throw this.#ended()
      const { value, done } = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        this.#reject = reject
        this.#source.next().then(resolve, reject)
      }).catch(error => {
        if (error instanceof StorageError) throw error
        this.#finish()
        throw new StorageError('aborted', 'upload: the body failed before its end, nothing was stored', {
          operation: 'upload',
          provider: this.#options.provider,
          key: this.#options.key,
          cause: error,
        })
      })
      if (done) {
        this.#finish()
        return undefined
      }
      if (typeof value === 'string') assertText(value, this.#options)
      const chunk = typeof value === 'string' ? Buffer.from(value) : value
      if (!(chunk instanceof Uint8Array)) throw bodyError('must give bytes or strings', this.#options)
      if (chunk.length > 0) return this.#source.keepsChunks ? chunk : new Uint8Array(chunk)
    }
    return undefined
  }

  #finish(): void {
    this.#done = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Whether there may have been bytes that somebody else has read. */
  get touched(): boolean {
    return this.#source.touched
  }

  async close(): Promise<void> {
    if (this.#done) return
    this.#finish()
    this.#source.stop()
  }
}
