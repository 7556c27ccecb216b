import { StorageError } from './errors.ts'
import type { KeyEntry, KeyInput } from './options.ts'

/** What stands for one object in a call for many, before its key has been checked. */
export interface UncheckedEntry {
  readonly key: unknown
  readonly versionId?: unknown
}

/** Cuts keys or list entries into batches of at most `size`, reading an async source no further than needed. */
export async function* keyBatches(
  keys: KeyInput,
  size: number,
  operation: string,
  provider: string,
): AsyncGenerator<UncheckedEntry[]> {
  if (
    typeof keys !== 'object' ||
    keys === null ||
    !(Symbol.iterator in keys || Symbol.asyncIterator in keys)
  ) {
    throw new StorageError('invalid-argument', `${operation}: keys must be an array or an iterable of keys`, {
      operation,
      provider,
    })
  }
  let batch: UncheckedEntry[] = []
  let given = 0
  for await (const item of told(keys, error => sourceError(error, given, operation, provider))) {
    batch.push(entryOf(item, operation, provider))
    if (batch.length < size) continue
    given += batch.length
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** An entry as it is given on to a provider: a key alone is a string again. */
export function asInput(entry: UncheckedEntry): string | KeyEntry {
  return entry.versionId === undefined ? (entry.key as string) : (entry as KeyEntry)
}

/** The same items; what the source throws is renamed by `rename`, what its reader throws is not. */
async function* told<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  rename: (error: unknown) => StorageError,
): AsyncGenerator<Item> {
  try {
    for await (const item of items) yield item
  } catch (error) {
    throw rename(error)
  }
}

/** Whoever gave the keys must know that some of them have been worked on. */
function sourceError(error: unknown, given: number, operation: string, provider: string): StorageError {
  const worked = given === 0 ? 'no key was worked on' : `the first ${given} keys were worked on, no others`
  const reason = error instanceof Error && error.message !== '' ? `: ${error.message}` : ''
  return new StorageError(
    error instanceof StorageError ? error.code : 'aborted',
    `${operation}: the source of the keys failed, ${worked}${reason}`,
    { operation, provider, retryable: false, cause: error },
  )
}

function entryOf(item: unknown, operation: string, provider: string): UncheckedEntry {
  if (typeof item !== 'object' || item === null) return { key: item }
  if ('key' in item) {
    const { key, versionId } = item as UncheckedEntry
    return versionId === undefined ? { key } : { key, versionId }
  }
  throw new StorageError(
    'invalid-argument',
    `${operation}: a folded prefix is no object; list without a delimiter`,
    { operation, provider },
  )
}

/**
 * Results of `work` over `items`, in their order, at most `limit` under way at once. The first failure stops what
 * has not begun and is thrown when what has begun is over.
 */
export async function mapBounded<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let index = 0
  try {
    for await (const item of items) {
      const at = index++
      const task = work(item, at)
        .then(result => {
          results[at] = result
        })
        .catch(error => void failures.push(error))
        .finally(() => underWay.delete(task))
      underWay.add(task)
      if (underWay.size >= limit) await Promise.race(underWay)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(underWay)
  }
  if (failures.length > 0) throw failures[0]
  return results
}
