import { assertProvider } from '../core/assert-provider.ts'
import { isStorageError, type StorageError, uncertain } from '../core/errors.ts'
import type { KeyEntry, KeyInput, OperationName, OperationOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { DeleteResult, KeyResult } from '../core/results.ts'
import { type Call, intercept, watchedKeys } from './forward.ts'
import { addLayer } from './layer.ts'
import { retryDownload } from './retry-download.ts'
import { retryList, retryUnfinished } from './retry-list.ts'
import { retryResumable } from './retry-resumable.ts'
import { isMissingObject, retryCopy, retryMove } from './retry-transfer.ts'
import { isReplayable, retryUpload } from './retry-upload.ts'
import { type RetryOptions, retrySettings, Tries } from './tries.ts'
import { underDeadline } from './under-deadline.ts'

export type { RetryEvent, RetryOptions } from './tries.ts'

/**
 * Repeats what failed with a `retryable` error, and only what is safe to repeat. Waits grow and are random ("full
 * jitter"); a store's Retry-After is kept; `signal` and `timeoutMs` cover all tries and end the waiting.
 *
 * When a try's answer was lost, the operation may have been done all the same. So a `delete` that then finds nothing
 * is `gone`; an upload that is then refused by its own condition counts as done where size, bytes and given metadata
 * of what is stored are those of the upload (who must tell his write from another's equal one puts an id into it);
 * `move` looks at the source before and at the destination after (one `info` more per move). What stays open is
 * thrown as the failure it was.
 *
 * Streams: an upload whose body is a stream is sent once, whatever happens; strings, bytes and Blobs are sent again
 * (and `onProgress` begins again). A resumable upload goes on with the parts that the store has, where the caller has an
 * `onToken`. A download that breaks off goes on from the byte it had reached, under
 * `ifMatch`, where the store keeps that (`capabilities.conditionalRead`), else it fails; two versions are never
 * spliced. A list goes on behind the last entry it gave.
 *
 * @example
 * ```ts
 * const files = retry(s3(options), { attempts: 5 })
 * ```
 */
export function retry(inner: StorageProvider, options: RetryOptions = {}): StorageProvider {
  assertProvider('retry', inner)
  const settings = retrySettings(options)

  /** Runs `work` with the tries of one operation, all of them within its deadline. */
  function trying<Options extends OperationOptions | undefined, T>(
    call: Call<Options>,
    work: (tries: Tries, options: Options) => Promise<T>,
  ): Promise<T> {
    const { operation, key } = call
    return underDeadline(call, inner.name, inside =>
      work(new Tries(settings, inner.name, operation, key, inside?.signal), inside),
    )
  }

  /** A call for many keys: those that failed are asked for again. */
  function many<Options extends OperationOptions | undefined, Result extends { readonly key: string }>(
    operation: OperationName,
    keys: KeyInput,
    options: Options,
    errorOf: (result: Result) => StorageError | undefined,
    ask: (keys: KeyInput, options: Options) => Promise<Result[]>,
    resolve: (result: Result) => Result = same => same,
  ): Promise<Result[]> {
    return trying({ operation, options }, async (tries, inside) => {
      // A key alone would not do: it may have been asked for by its version.
      const asked: (string | KeyEntry)[] = []
      const results = await ask(
        watchedKeys(keys, entry => asked.push(entry)),
        inside,
      )
      const open = new Set<number>()
      for (;;) {
        const failed = [...results.keys()].filter(at => errorOf(results[at]!)?.retryable)
        const errors = failed.map(at => errorOf(results[at]!)!)
        for (const at of failed) {
          if (!isStorageError(errorOf(results[at]!), 'rate-limited', 'conflict')) open.add(at)
        }
        const slowest = errors.sort((a, b) => (b.retryAfterMs ?? 0) - (a.retryAfterMs ?? 0))[0]
        if (slowest === undefined || !(await tries.again(slowest))) return results
        const repeated = await ask(
          failed.map(at => asked[at]!),
          inside,
        )
        failed.forEach((at, i) => {
          results[at] = open.has(at) ? resolve(repeated[i]!) : repeated[i]!
        })
      }
    })
  }

  return addLayer(inner, 'retry', {
    ...intercept(inner, (call, run) => trying(call, (tries, inside) => tries.run(() => run(inside)))),

    upload: (key, body, options) =>
      isReplayable(body)
        ? trying({ operation: 'upload', key, options }, (tries, o) => retryUpload(inner, key, body, o, tries))
        : inner.upload(key, body, options),

    uploadResumable: (key, source, options) =>
      trying({ operation: 'uploadResumable', key, options }, (tries, o) =>
        retryResumable(inner, key, source, o, tries),
      ),

    download: (key, options) => retryDownload(inner, key, options, settings),

    copy: (from, to, options) =>
      trying({ operation: 'copy', key: from, options }, (tries, o) => retryCopy(inner, from, to, o, tries)),

    move: (from, to, options) =>
      trying({ operation: 'move', key: from, options }, (tries, o) => retryMove(inner, from, to, o, tries)),

    delete: (key, options) =>
      trying({ operation: 'delete', key, options }, async (tries, inside) => {
        try {
          const result = await tries.run(() => inner.delete(key, inside))
          return tries.unresolved === undefined ? result : afterLostAnswer(result)
        } catch (error) {
          // Under `ifMatch` stores refuse, in one way or the other, to delete what a lost try has deleted.
          const refused = isMissingObject(error) || isStorageError(error, 'precondition-failed')
          if (tries.unresolved === undefined || !refused) throw error
          if (await tries.fresh().run(() => inner.exists(key, { signal: tries.signal }))) throw error
          return { key, status: 'gone' }
        }
      }),

    deleteMany: (keys, options) =>
      many<typeof options, DeleteResult>(
        'deleteMany',
        keys,
        options,
        result => (result.status === 'error' ? result.error : undefined),
        (some, o) => inner.deleteMany(some, o),
        afterLostAnswer,
      ),

    infoMany: (keys, options) =>
      many('infoMany', keys, options, errorOf, (some, o) => inner.infoMany(some, o)),

    signedUrls: (keys, options) =>
      many('signedUrls', keys, options, errorOf, (some, o) => inner.signedUrls(some, o)),

    list: options => retryList(inner, options, trying),
    unfinishedUploads: options => retryUnfinished(inner, options, trying),
  })
}

function errorOf(result: KeyResult<unknown>): StorageError | undefined {
  return result.ok ? undefined : result.error
}

/** It may have been the try whose answer was lost that deleted it; and a refusal now says nothing of that try. */
function afterLostAnswer(result: DeleteResult): DeleteResult {
  if (result.status === 'error') return { ...result, error: uncertain(result.error) }
  return result.status === 'missing' ? { ...result, status: 'gone' } : result
}
