import { isStorageError, type StorageError } from '../core/errors.ts'
import type { KeyEntry, KeyInput, OperationOptions } from '../core/options.ts'
import type { KeyResult, StorageProvider } from '../core/provider.ts'
import { watchedKeys } from './forward.ts'

export type MirrorFallback = 'outage' | 'missing' | 'never'

type Reads = Pick<StorageProvider, 'download' | 'info' | 'infoMany' | 'exists' | 'signedUrl' | 'signedUrls'>

/** The reads of a mirror: from the primary, and under `fallback` from the first replica that can answer. */
export function fallbackReads(
  primary: StorageProvider,
  replicas: readonly StorageProvider[],
  fallback: MirrorFallback,
): Reads {
  function opens(error: unknown, options: OperationOptions | undefined): boolean {
    if (fallback === 'never' || !isStorageError(error)) return false
    if (error.code === 'unavailable') return true
    // The caller's own time may be over, and is not to be spent twice.
    if (error.code === 'timeout') return options?.timeoutMs === undefined
    return fallback === 'missing' && error.code === 'not-found' && error.resource === undefined
  }

  /** The primary's answer, or a replica's; where none has one, the primary's failure. */
  async function read<T>(
    options: (OperationOptions & { readonly ifMatch?: string }) | undefined,
    ask: (provider: StorageProvider) => Promise<T>,
  ): Promise<T> {
    try {
      return await ask(primary)
    } catch (error) {
      // An etag is each store's own: what a replica has can't be told to be that version.
      if (!opens(error, options) || options?.ifMatch !== undefined) throw error
      for (const replica of replicas) {
        if (options?.signal?.aborted) break
        try {
          return await ask(replica)
        } catch {
          // The next one may have it; the primary's failure says more than the replica's.
        }
      }
      throw error
    }
  }

  async function readMany<Value>(
    keys: KeyInput,
    options: OperationOptions | undefined,
    ask: (provider: StorageProvider, keys: KeyInput) => Promise<KeyResult<Value>[]>,
  ): Promise<KeyResult<Value>[]> {
    const asked: (string | KeyEntry)[] = []
    const results = await ask(
      primary,
      watchedKeys(keys, entry => asked.push(entry)),
    )
    for (const replica of replicas) {
      const open = [...results.keys()].filter(at => opens(errorOf(results[at]!), options))
      if (open.length === 0) break
      const answers = await ask(
        replica,
        open.map(at => asked[at]!),
      ).catch(() => [])
      answers.forEach((answer, at) => {
        if (answer.ok) results[open[at]!] = answer
      })
    }
    return results
  }

  return {
    download: (key, options) => read(options, from => from.download(key, options)),
    info: (key, options) => read(options, from => from.info(key, options)),
    infoMany: (keys, options) => readMany(keys, options, (from, some) => from.infoMany(some, options)),
    async exists(key, options) {
      const there = await read(options, from => from.exists(key, options))
      if (there || fallback !== 'missing') return there
      for (const replica of replicas) if (await replica.exists(key, options).catch(() => false)) return true
      return false
    },
    // A URL to write to is the primary's: what is sent to a replica would be overwritten.
    signedUrl: (key, options) =>
      writes(options) ? primary.signedUrl(key, options) : read(options, from => from.signedUrl(key, options)),
    signedUrls: (keys, options) =>
      writes(options)
        ? primary.signedUrls(keys, options)
        : readMany(keys, options, (from, some) => from.signedUrls(some, options)),
  }
}

function writes(options: { readonly method?: string } | undefined): boolean {
  return options?.method === 'PUT' || options?.method === 'DELETE'
}

function errorOf(result: KeyResult<unknown>): StorageError | undefined {
  return result.ok ? undefined : result.error
}
