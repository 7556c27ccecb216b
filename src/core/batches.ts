import { StorageError } from './errors.ts'
import type { KeyInput } from './options.ts'

/** Cuts keys or list entries into batches of at most `size`, reading an async source no further than needed. */
export async function* keyBatches(
  keys: KeyInput,
  size: number,
  operation: string,
  provider: string,
): AsyncGenerator<unknown[]> {
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
  let batch: unknown[] = []
  for await (const item of keys) {
    batch.push(keyOf(item, operation, provider))
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function keyOf(item: unknown, operation: string, provider: string): unknown {
  if (typeof item !== 'object' || item === null) return item
  if ('key' in item) return item.key
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
