import { assertProvider } from '../core/assert-provider.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import { listingOf } from '../core/listing.ts'
import type { KeyInput, OperationName, OperationOptions, Progress } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { UploadedPart } from '../core/resumable-upload.ts'
import { unfinishedUploadsOf } from '../core/unfinished-uploads.ts'
import { type Call, commonOf, intercept, pagesAround, watchedKeys } from './forward.ts'
import { Guard, guarded, startTimer, type Timer } from './guard.ts'
import { addLayer, numberSetting } from './layer.ts'
import { watchedSource } from './watched-source.ts'

export interface TimeoutOptions {
  /** Milliseconds that an operation may take, or, where it makes progress, between two signs of it. */
  timeoutMs: number
  /** Milliseconds between two chunks of a download's body. Default: `timeoutMs`. */
  idleMs?: number
  /** Calls back after so many milliseconds; returns what prevents it. Default: a timer. */
  timer?: Timer
}

/** An upload that was stopped may need requests to clean up behind it; after this time nobody waits for them. */
const CLEAN_UP_MS = 5_000

/**
 * Ends with `timeout` what takes too long, also where `inner` hangs and heeds no signal. A shorter `timeoutMs` of
 * the caller's holds too. Outside `retry` it bounds all tries together, inside it each one.
 *
 * Streams: a download has `timeoutMs` until its head has arrived, then `idleMs` for each chunk that is asked for; the
 * time in which its reader asks for none does not count. An upload may take as long as it makes progress
 * (`onProgress`; of a resumable one, what its source gives and parts that are stored) every `timeoutMs`. A list has `timeoutMs` for each page; calls for many keys as long as they take a
 * further key every `timeoutMs`.
 *
 * @example
 * ```ts
 * const files = retry(timeout(s3(options), { timeoutMs: 10_000 }))
 * ```
 */
export function timeout(inner: StorageProvider, options: TimeoutOptions): StorageProvider {
  assertProvider('timeout', inner)
  assertFactoryOptions('timeout', options, { timeoutMs: 'number', idleMs: 'number', timer: 'function' })
  const timeoutMs = numberSetting('timeout', 'timeoutMs', options.timeoutMs, { least: 1 })
  const idleMs = numberSetting('timeout', 'idleMs', options.idleMs ?? timeoutMs, { least: 1 })
  const timer = options.timer ?? startTimer
  const guardOf = (call: Call<OperationOptions | undefined>) =>
    new Guard(call.operation, call.key, inner.name, call.options?.signal, timer)

  async function around<Options extends OperationOptions | undefined, T>(
    call: Call<Options>,
    run: (options: Options, alive: () => void) => Promise<T>,
    graceMs = 0,
  ): Promise<T> {
    // A wrong argument is refused below, as every wrong argument is.
    if (!isOperationOptions(call.options)) return run(call.options, () => {})
    const guard = guardOf(call)
    const least = Math.min(timeoutMs, call.options?.timeoutMs ?? timeoutMs)
    try {
      guard.arm(least)
      const work = run({ ...call.options, signal: guard.signal }, () => guard.arm(timeoutMs))
      return await guard.until(work, graceMs)
    } finally {
      guard.clear()
    }
  }

  const many = <Options extends OperationOptions | undefined, Result>(
    operation: OperationName,
    keys: KeyInput,
    options: Options,
    run: (keys: KeyInput, options: Options) => Promise<Result[]>,
  ) => around({ operation, options }, (inside, alive) => run(watchedKeys(keys, alive), inside))

  /** Pages that have `timeoutMs` each. */
  async function* pagesInTime<Page>(
    call: Call<OperationOptions>,
    open: (signal: AbortSignal) => AsyncIterable<Page>,
  ): AsyncGenerator<Page, void> {
    const guard = guardOf(call)
    try {
      yield* pagesAround(open(guard.signal), async next => {
        guard.arm(timeoutMs)
        const step = await guard.until(next())
        guard.disarm()
        return step
      })
    } finally {
      guard.clear()
    }
  }

  return addLayer(inner, 'timeout', {
    ...intercept(inner, around),
    infoMany: (keys, options) => many('infoMany', keys, options, (k, o) => inner.infoMany(k, o)),
    deleteMany: (keys, options) => many('deleteMany', keys, options, (k, o) => inner.deleteMany(k, o)),
    signedUrls: (keys, options) => many('signedUrls', keys, options, (k, o) => inner.signedUrls(k, o)),

    upload: (key, body, options) =>
      around(
        { operation: 'upload', key, options },
        (inside, alive) => {
          const told = options?.onProgress
          if (told !== undefined && typeof told !== 'function') return inner.upload(key, body, inside)
          const onProgress = (progress: Progress) => {
            alive()
            told?.(progress)
          }
          return inner.upload(key, body, { ...inside, onProgress })
        },
        CLEAN_UP_MS,
      ),

    uploadResumable: (key, source, options) =>
      around(
        { operation: 'uploadResumable', key, options },
        (inside, alive) => {
          const told = options?.onPart
          const onPart = (part: UploadedPart) => {
            alive()
            return told?.(part)
          }
          const watched = told === undefined || typeof told === 'function' ? { ...inside, onPart } : inside
          return inner.uploadResumable(key, watchedSource(source, alive), watched)
        },
        CLEAN_UP_MS,
      ),

    async download(key, options) {
      if (!isOperationOptions(options)) return inner.download(key, options)
      const guard = guardOf({ operation: 'download', key, options })
      try {
        guard.arm(Math.min(timeoutMs, options?.timeoutMs ?? timeoutMs))
        const opening = inner.download(key, { ...options, signal: guard.signal })
        const download = await guard.until(opening, 0, late => late.cancel())
        guard.disarm()
        return download.through(
          source => guarded(source, guard, idleMs, download.length),
          () => guard.clear(),
        )
      } catch (error) {
        guard.clear()
        throw error
      }
    },

    list(options) {
      const list = inner.list(options)
      const common = commonOf(options)
      return listingOf({
        page: pageOptions =>
          around({ operation: 'list', options: { ...common, ...pageOptions } }, o => list.page(o)),
        pages: () =>
          pagesInTime({ operation: 'list', options: common }, signal =>
            inner.list({ ...options, signal }).pages(),
          ),
      })
    },

    unfinishedUploads(options) {
      // Refuses now what it would refuse when it is read.
      inner.unfinishedUploads(options)
      return unfinishedUploadsOf(() =>
        pagesInTime({ operation: 'unfinishedUploads', options: commonOf(options) }, signal =>
          inner.unfinishedUploads({ ...options, signal }).pages(),
        ),
      )
    },
  })
}

function isOperationOptions(options: OperationOptions | undefined): boolean {
  if (options === undefined) return true
  if (typeof options !== 'object' || options === null) return false
  const { signal, timeoutMs } = options
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0)) return false
  return signal === undefined || signal instanceof AbortSignal
}
