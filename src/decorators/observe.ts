import { assertProvider } from '../core/assert-provider.ts'
import { cacheCounts, expectCacheOutcomes } from '../core/cache-outcomes.ts'
import { StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import { listingOf } from '../core/listing.ts'
import type { Progress } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { UploadedPart } from '../core/resumable-upload.ts'
import { unfinishedUploadsOf } from '../core/unfinished-uploads.ts'
import { commonOf, intercept, pagesAround } from './forward.ts'
import { addLayer, refusal } from './layer.ts'
import type { Observation, Observer, OperationEvent, OperationStart } from './operation-events.ts'

export type { Observation, Observer, OperationEvent, OperationStart } from './operation-events.ts'

export interface ObserveOptions {
  /** A clock in milliseconds that never goes back. Default: `performance.now`. */
  now?: () => number
}

/**
 * Tells `observer` of every operation, once, when it has ended. What the observer throws or rejects with is dropped:
 * it never disturbs the operation. Around `retry` it sees operations, inside it each try. `publicUrl` and `close`
 * make no request and are not reported.
 *
 * Streams: a download is reported when its body has been read, has failed or has been given back, with the bytes that
 * were read; one that is neither read nor given back is never reported. A list is reported for each page.
 *
 * @example
 * ```ts
 * const files = observe(retry(s3(options)), event => log.info(event))
 * ```
 */
export function observe(
  inner: StorageProvider,
  observer: Observer,
  options: ObserveOptions = {},
): StorageProvider {
  assertProvider('observe', inner)
  if (typeof observer !== 'function' && typeof observer?.start !== 'function')
    throw refusal('observe', 'the observer must be a function or an object with a method start')
  assertFactoryOptions('observe', options, { now: 'function' })
  if (inner.capabilities.layers.includes('cacheSignedUrls')) expectCacheOutcomes()
  const { now = () => performance.now() } = options
  const start = (call: Omit<OperationStart, 'provider'>) =>
    new Observed({ ...call, provider: inner.name }, observer, now)

  function observedPages<Page extends readonly unknown[]>(
    call: Omit<OperationStart, 'provider'>,
    pages: AsyncIterable<Page>,
  ): AsyncIterable<Page> {
    let given = 0
    return pagesAround(pages, next =>
      start(call).settle(next, ({ done, value }) => {
        // The end of a list that has given pages already is no page of its own.
        if (done) return given > 0 ? undefined : { count: 0 }
        given++
        return { count: value.length }
      }),
    )
  }

  return addLayer(inner, 'observe', {
    ...intercept(inner, ({ operation, key, to, options: asked }, run) => {
      const observed = start({
        operation,
        ...(key === undefined ? {} : { key }),
        ...(to === undefined ? {} : { to }),
      })
      const signs = operation === 'signedUrl' || operation === 'signedUrls'
      return observed.settle(() => run(asked), signs ? withCache : countsOf)
    }),

    upload(key, body, asked) {
      const observed = start({ operation: 'upload', key })
      let sent = 0
      const told = asked?.onProgress
      const onProgress = (progress: Progress) => {
        sent = progress.loaded
        told?.(progress)
      }
      const inside = told === undefined || typeof told === 'function' ? { ...asked, onProgress } : asked
      return observed.settle(
        () => inner.upload(key, body, inside),
        info => ({ bytesSent: info.size }),
        () => ({ bytesSent: sent }),
      )
    },

    uploadResumable(key, source, asked) {
      const observed = start({ operation: 'uploadResumable', key })
      let bytesSent = 0
      const told = asked?.onPart
      const onPart = (part: UploadedPart) => {
        bytesSent += part.end - part.start
        return told?.(part)
      }
      const inside = told === undefined || typeof told === 'function' ? { ...asked, onPart } : asked
      const figures = () => ({ bytesSent })
      return observed.settle(() => inner.uploadResumable(key, source, inside), figures, figures)
    },

    async download(key, asked) {
      const observed = start({ operation: 'download', key })
      let received = 0
      try {
        const download = await observed.within(() => inner.download(key, asked))
        return download.through(
          source => {
            const { bytes } = source
            const whole = async () => {
              const all = await bytes!()
              received = all.length
              return all
            }
            return {
              cancel: () => source.cancel(),
              ...(bytes ? { bytes: whole } : {}),
              async *chunks() {
                for await (const chunk of source.chunks()) {
                  received += chunk.length
                  yield chunk
                }
              },
            }
          },
          error => observed.end(error, { bytesReceived: received }),
        )
      } catch (error) {
        observed.end(error, { bytesReceived: 0 })
        throw error
      }
    },

    list(asked) {
      const list = inner.list(asked)
      const call = {
        operation: 'list' as const,
        ...prefixOf(asked),
      }
      return listingOf({
        page: pageOptions =>
          start(call).settle(
            () => list.page({ ...commonOf(asked), ...pageOptions }),
            page => ({ count: page.items.length }),
          ),
        pages: () => observedPages(call, list.pages()),
      })
    },

    unfinishedUploads(asked) {
      const uploads = inner.unfinishedUploads(asked)
      const call = { operation: 'unfinishedUploads' as const, ...prefixOf(asked) }
      return unfinishedUploadsOf(() => observedPages(call, uploads.pages()))
    },
  })
}

function prefixOf(asked: { readonly prefix?: string } | undefined): { prefix?: string } {
  return asked?.prefix === undefined ? {} : { prefix: asked.prefix }
}

type Figures = Pick<OperationEvent, 'bytesSent' | 'bytesReceived' | 'count' | 'failed' | 'cache'>

class Observed {
  readonly #call: OperationStart
  readonly #now: () => number
  readonly #startedAt: number
  #observation: Observation | undefined

  constructor(call: OperationStart, observer: Observer, now: () => number) {
    this.#call = call
    this.#now = now
    this.#startedAt = now()
    undisturbed(() => {
      this.#observation = typeof observer === 'function' ? { end: observer } : observer.start(call)
    })
  }

  /** The promise of `work`, begun within the observer's surroundings. */
  within<T>(work: () => Promise<T>): Promise<T> {
    let begun: Promise<T> | undefined
    const begin = () => {
      begun ??= work()
    }
    const observation = this.#observation
    if (observation?.within !== undefined) undisturbed(() => observation.within!(begin))
    begin()
    return begun!
  }

  /** As `within`, and the end is told; not where `figures` has none. */
  async settle<T>(
    work: () => Promise<T>,
    figures: (result: T) => Figures | undefined,
    failedFigures: () => Figures = () => ({}),
  ): Promise<T> {
    let result: T
    try {
      result = await this.within(work)
    } catch (error) {
      this.end(error, failedFigures())
      throw error
    }
    const known = figures(result)
    if (known !== undefined) this.end(undefined, known)
    return result
  }

  end(error: unknown, figures: Figures): void {
    const event: OperationEvent = {
      ...this.#call,
      ...figures,
      outcome: error === undefined ? 'ok' : error instanceof StorageError ? error.code : 'internal',
      ...(error instanceof StorageError ? { error } : {}),
      durationMs: this.#now() - this.#startedAt,
    }
    undisturbed(() => this.#observation?.end(event))
  }
}

/** An observer's failure, thrown or rejected with, is its own. */
function undisturbed(tell: () => unknown): void {
  try {
    const told = tell()
    if (told instanceof Promise) told.catch(() => {})
  } catch {}
}

function withCache(result: unknown): Figures {
  const cache = cacheCounts(result)
  return { ...countsOf(result), ...(cache === undefined ? {} : { cache }) }
}

function countsOf(result: unknown): Figures {
  if (!Array.isArray(result)) return {}
  return { count: result.length, failed: result.filter(one => 'error' in one).length }
}
