import { isStorageError, type PlainError, plainError } from '../core/plain-error.ts'
import type { SignedUpload } from '../core/results.ts'
import { checkOptions } from './check-options.ts'
import { type Progress, sendUpload } from './send-upload.ts'
import { untilAborted } from './until-aborted.ts'
import { uploadFailure } from './upload-failure.ts'

type WithTextDate<Signed> = Signed extends SignedUpload
  ? Omit<Signed, 'expiresAt'> & { readonly expiresAt: Date | string }
  : never

/** A `SignedUpload`, as it is or as it comes out of JSON, where its date is a text. */
export type SentSignedUpload = WithTextDate<SignedUpload>

export interface UploadDirectOptions {
  /** Told of the file's bytes as they go. Each try begins again. What it throws is the page's error, not the upload's. */
  onProgress?: (progress: Progress) => void
  /** Ends the upload at once. Whether its bytes have arrived all the same is then not known. */
  signal?: AbortSignal
  /** Tries in all, 1 or more. Default: 5. */
  attempts?: number
  /** The first wait is random between 0 and this many milliseconds; it doubles with each try. Default: 500. */
  minDelayMs?: number
  /**
   * No wait is longer, in milliseconds. A store that asks for a longer one (Retry-After) is not waited for: the error is
   * thrown at once, with its `retryAfterMs`. Default: 20,000.
   */
  maxDelayMs?: number
  /** A try in which no byte has moved for so many milliseconds is given up, and made again. Default: 30,000. */
  stallMs?: number
  /** What to do without a network: `wait` for it (the default), or `fail` as `unavailable`. */
  offline?: 'wait' | 'fail'
  /** Asks your backend for another URL where the one at hand has expired or is refused. */
  renew?: () => Promise<SentSignedUpload>
  /** Told of every try that follows; `attempt` is its number. What it throws is dropped. */
  onRetry?: (retry: { attempt: number; delayMs: number; error: PlainError }) => void
  /** A number from 0 to 1, as `Math.random` gives, which is the default. */
  random?: () => number
  /** Waits so many milliseconds. Default: a timer. */
  sleep?: (ms: number) => Promise<unknown>
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

export interface DirectUpload {
  /** Absent where the store's CORS rules do not expose it. */
  readonly etag?: string
  /** Of the URL that was used at last: what the backend finalizes. */
  readonly uploadId?: string
  /** Tries that were made. */
  readonly attempts: number
}

/**
 * Sends a file from the page to the store, by the URL that the backend signed, and again where that may help: after no
 * answer, 408, 409 (another write to the same key at that moment), 429 and 5xx. A refusal is final. To send a PUT again is
 * harmless: a store keeps all of its bytes or none.
 *
 * Where an earlier try's answer was lost, the error is `uncertain`: an `already-exists` may then be this very upload.
 * Ask your backend, which can see what is stored.
 *
 * The device's clock may be wrong, so it alone ends nothing: a URL counts as expired when the store says so, or when a
 * try has failed after `expiresAt`; only where `renew` can give another is the clock believed before.
 *
 * @param signed what `signedUpload` gave, also through JSON
 * @throws `permission-denied` or `unauthenticated` where the URL is refused or has expired; `already-exists` or
 *   `precondition-failed` where it creates only; `too-large`; `rate-limited`, `timeout`, `unavailable` when all tries are
 *   used up; `aborted`; `invalid-argument` for what is no signed upload, a size that was not signed, and what the store
 *   calls a bad request. No message holds a URL.
 *
 * @example
 * ```ts
 * const { blob, type } = await processImage(file)
 * const signed = await askBackend({ contentType: type, size: blob.size })
 * await uploadDirect(signed, blob, { onProgress: ({ loaded, total }) => { bar.value = loaded / total } })
 * ```
 */
export function uploadDirect(
  signed: SentSignedUpload,
  file: Blob,
  {
    attempts = 5,
    minDelayMs = 500,
    maxDelayMs = 20_000,
    stallMs = 30_000,
    offline = 'wait',
    now = Date.now,
    random = Math.random,
    sleep = ms => new Promise(resolve => setTimeout(resolve, ms)),
    signal,
    renew,
    onProgress,
    onRetry,
    ...unknown
  }: UploadDirectOptions = {},
): Promise<DirectUpload> {
  return untilAborted('uploadDirect', [signal], async ended => {
    checkOptions(
      'uploadDirect',
      unknown,
      !(attempts >= 1 && minDelayMs >= 0 && maxDelayMs >= minDelayMs && stallMs > 0) &&
        'attempts, minDelayMs, maxDelayMs or stallMs',
    )
    let target = signed
    let refusedUrl = false
    let unsure: boolean | undefined
    const expired = () => Date.parse(`${target.expiresAt}`) <= now()
    for (let attempt = 1; ; attempt++) {
      // Browsers know for certain only that they are offline; that they are online is a guess.
      if (navigator.onLine === false) {
        if (offline === 'fail') throw plainError('uploadDirect', 'offline', 'unavailable')
        await new Promise(resolve => addEventListener('online', resolve, { once: true }))
      }
      ended.throwIfAborted()
      if (renew && (refusedUrl || expired())) target = await renew()
      ended.throwIfAborted()
      const answer = await sendUpload(target, file, stallMs, ended, onProgress)
      const error = uploadFailure(answer, unsure, now(), expired())
      if (!error) return { etag: answer.header('etag'), uploadId: target.uploadId, attempts: attempt }

      unsure = error.uncertain
      const wasRefused = refusedUrl
      refusedUrl = isStorageError(error, 'permission-denied', 'unauthenticated')
      const again = refusedUrl ? renew && !wasRefused : error.retryable && (renew || !expired())
      const { retryAfterMs = 0 } = error
      if (!again || attempt >= attempts || retryAfterMs > maxDelayMs) throw error
      // Full jitter, so that pages that failed together don't come back together.
      const jitterMs = Math.round(random() * Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1)))
      const delayMs = refusedUrl ? 0 : Math.min(maxDelayMs, retryAfterMs + jitterMs)
      try {
        onRetry?.({ attempt: attempt + 1, delayMs, error })
      } catch {
        // What a listener throws must not fail an upload.
      }
      await sleep(delayMs)
    }
  })
}
