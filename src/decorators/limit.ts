import { assertProvider } from '../core/assert-provider.ts'
import { asInput, keyBatches } from '../core/batches.ts'
import { deadline, untilEnded } from '../core/deadline.ts'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import { type KeyInput, type OperationName, type OperationOptions, settledOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { type Call, intercept } from './forward.ts'
import { addLayer, numberSetting } from './layer.ts'
import { type Release, Semaphore } from './semaphore.ts'
import { asEnded, underDeadline } from './under-deadline.ts'

export interface LimitOptions {
  /** Operations under way at once, 1 or more. */
  concurrency: number
  /** Operations that may wait for a permit; one more is refused as `rate-limited`. Default: no limit. */
  maxQueue?: number
}

/** Keys of an async source that are collected, without a permit, before they are worked on under one. */
const SLICE = 1000

/**
 * At most `concurrency` operations at once; the others wait in line. The time in line counts for `timeoutMs`, and an
 * operation that is aborted leaves the line.
 *
 * Streams: a download holds its permit until its body has been read, has failed or has been given back, or until
 * its signal or time ends it; an upload until it is stored; a list for each page, never while its consumer thinks.
 * `infoMany`, `deleteMany` and `signedUrls` hold one permit however many requests they make. Who uploads what he
 * downloads from the same provider needs two permits at once: with `concurrency: 1` that waits for ever.
 *
 * @throws `rate-limited` from every operation that finds the line full
 * @example
 * ```ts
 * const files = retry(limit(s3(options), { concurrency: 32 }))
 * ```
 */
export function limit(inner: StorageProvider, options: LimitOptions): StorageProvider {
  assertProvider('limit', inner)
  assertFactoryOptions('limit', options, { concurrency: 'number', maxQueue: 'number' })
  const concurrency = numberSetting('limit', 'concurrency', options.concurrency, { least: 1, whole: true })
  const maxQueue = numberSetting('limit', 'maxQueue', options.maxQueue ?? Number.MAX_SAFE_INTEGER, {
    least: 0,
    whole: true,
  })
  const semaphore = new Semaphore(concurrency, maxQueue)

  async function permit(
    operation: OperationName,
    key: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Release> {
    if (semaphore.full) throw lineFull(operation, key, inner.name, maxQueue)
    return semaphore.acquire(signal).catch(reason => {
      throw asEnded(reason, signal, operation, inner.name, key)
    })
  }

  const around = <Options extends OperationOptions | undefined, T>(
    call: Call<Options>,
    run: (options: Options) => Promise<T>,
  ) =>
    underDeadline(call, inner.name, async options => {
      const release = await permit(call.operation, call.key, options?.signal)
      try {
        return await run(options)
      } finally {
        release()
      }
    })

  /** A source that is a list of this provider needs permits itself: its keys are collected while none is held. */
  function many<Options extends OperationOptions | undefined, Result>(
    call: Call<Options>,
    keys: KeyInput,
    run: (keys: KeyInput, options: Options) => Promise<Result[]>,
  ): Promise<Result[]> {
    const streamed = typeof keys === 'object' && keys !== null && Symbol.asyncIterator in keys
    if (!streamed) return around(call, inside => run(keys, inside))
    return underDeadline(call, inner.name, inside => {
      const all = async () => {
        // No keys, no request: bad arguments are refused before the source is read.
        const results = await run([], inside)
        for await (const slice of keyBatches(keys, SLICE, call.operation, inner.name)) {
          const under = { ...call, options: inside }
          for (const result of await around(under, o => run(slice.map(asInput), o))) results.push(result)
        }
        return results
      }
      return untilEnded(all(), inside?.signal)
    })
  }

  return addLayer(inner, 'limit', {
    ...intercept(inner, around),
    infoMany: (keys, options) =>
      many({ operation: 'infoMany', options }, keys, (slice, o) => inner.infoMany(slice, o)),
    deleteMany: (keys, options) =>
      many({ operation: 'deleteMany', options }, keys, (slice, o) => inner.deleteMany(slice, o)),
    signedUrls: (keys, options) =>
      many({ operation: 'signedUrls', options }, keys, (slice, o) => inner.signedUrls(slice, o)),

    async download(key, given) {
      const options = settledOptions(given)
      const ends = deadline(options, 'download', inner.name)
      const { signal } = ends
      let release: Release | undefined
      const end = () => {
        if (release !== undefined) signal?.removeEventListener('abort', release)
        release?.()
        ends.clear()
      }
      try {
        release = await permit('download', key, signal)
        signal?.addEventListener('abort', release, { once: true })
        const inside = signal === undefined ? options : { ...options, signal, timeoutMs: undefined }
        const download = await inner.download(key, inside)
        return download.through(source => source, end)
      } catch (error) {
        end()
        throw error
      }
    },
  })
}

function lineFull(
  operation: OperationName,
  key: string | undefined,
  provider: string,
  maxQueue: number,
): StorageError {
  return new StorageError(
    'rate-limited',
    `${operation}: ${maxQueue} operations wait already (maxQueue); try again later`,
    { operation, provider, ...(key === undefined ? {} : { key }) },
  )
}
