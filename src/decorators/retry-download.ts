import { deadline, eitherSignal } from '../core/deadline.ts'
import { Download } from '../core/download.ts'
import { isStorageError, StorageError } from '../core/errors.ts'
import { type DownloadOptions, settledOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { type RetrySettings, Tries } from './tries.ts'

/** Bodies up to this many bytes that are wanted whole are read whole again; longer ones go on where they broke. */
const WHOLE_BYTES = 4 * 1024 * 1024

/** Opens a download with several tries, which its body shares: where it breaks off it goes on. */
export async function retryDownload(
  inner: StorageProvider,
  key: string,
  options: DownloadOptions | undefined,
  settings: RetrySettings,
): Promise<Download> {
  const ends = deadline(options, 'download', inner.name)
  const tries = new Tries(settings, inner.name, 'download', key, ends.signal)
  const inside: DownloadOptions = { ...settledOptions(options) }
  if (ends.signal !== undefined) Object.assign(inside, { signal: ends.signal, timeoutMs: undefined })
  // Progress is that of the body as the caller sees it, not of each try.
  if (typeof inside.onProgress === 'function') delete inside.onProgress
  try {
    const first = await tries.run(() => inner.download(key, inside))
    return new Download({
      info: first.info,
      ...(first.range === undefined ? {} : { span: first.range }),
      ...(options?.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      source: new ResumingSource(inner, first, inside, tries),
      onEnd: ends.clear,
    })
  } catch (error) {
    ends.clear()
    throw error
  }
}

class ResumingSource {
  /** The bytes at once, for bodies that are small enough to begin again. */
  readonly bytes: (() => Promise<Uint8Array>) | undefined
  readonly #inner: StorageProvider
  readonly #first: Download
  readonly #options: DownloadOptions
  readonly #tries: Tries
  readonly #given = new AbortController()
  #current: Download

  constructor(inner: StorageProvider, first: Download, options: DownloadOptions, tries: Tries) {
    this.#inner = inner
    this.#first = first
    this.#current = first
    this.#options = options
    this.#tries = tries
    this.bytes = first.length <= WHOLE_BYTES ? () => this.#whole() : undefined
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let read = 0
    for (;;) {
      try {
        for await (const chunk of this.#current) {
          read += chunk.length
          yield chunk
        }
        return
      } catch (error) {
        await this.#continue(error, read)
      }
    }
  }

  async #whole(): Promise<Uint8Array> {
    for (;;) {
      try {
        return await this.#current.bytes()
      } catch (error) {
        await this.#continue(error, 0)
      }
    }
  }

  cancel(): void {
    this.#given.abort()
    this.#current.cancel()
  }

  /** Opens the rest behind `read` bytes. Throws `error` where that can't be done. */
  async #continue(error: unknown, read: number): Promise<void> {
    const { etag } = this.#first.info
    const able = etag !== undefined && this.#inner.capabilities.conditionalRead !== false
    const { signal } = this.#tries
    const waits = eitherSignal(signal, this.#given.signal)
    let failure = error
    for (;;) {
      if (!able || this.#given.signal.aborted || !(await this.#tries.again(failure, waits))) throw error
      let rest: Download
      try {
        rest = await this.#inner.download(this.#first.info.key, {
          ...this.#options,
          ifMatch: etag,
          ifNoneMatch: undefined,
          // Bytes before these are in it already.
          into: undefined,
          range: { offset: (this.#first.range?.offset ?? 0) + read, length: this.#first.length - read },
        })
      } catch (thrown) {
        if (isStorageError(thrown, 'unsupported')) throw error
        if (isStorageError(thrown, 'precondition-failed', 'not-found')) throw this.#replaced()
        if (!isStorageError(thrown) || !thrown.retryable) throw thrown
        failure = thrown
        continue
      }
      this.#current = rest
      const same = rest.info.etag === etag && rest.length === this.#first.length - read
      if (!same || this.#given.signal.aborted) rest.cancel()
      if (!same) throw this.#replaced()
      return
    }
  }

  #replaced(): StorageError {
    return new StorageError(
      'conflict',
      'download: the object was replaced or deleted while it was read; read it again from its start',
      { operation: 'download', key: this.#first.info.key, provider: this.#inner.name },
    )
  }
}
