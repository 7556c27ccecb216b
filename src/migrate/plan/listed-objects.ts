import { StorageError } from '../../core/errors.ts'
import { compareKeys } from '../../core/keys.ts'
import type { ListEntry, ListOptions, ObjectInfo, StorageProvider } from '../../core/provider.ts'

/**
 * The objects of a list, page by page. Lists are held against rows in the order of their keys, where one that comes too late
 * would be taken for gone: so a list that is out of order ends with an error.
 *
 * @throws `internal` for a list out of order; what the list throws
 */
export async function* listedObjects(
  provider: StorageProvider,
  options: ListOptions,
): AsyncGenerator<readonly ObjectInfo[]> {
  let last = ''
  for await (const entries of provider.list(options).pages()) {
    const page = entries.filter(isObject)
    for (const { key } of page) {
      if (compareKeys(key, last) < 0) throw outOfOrder(provider, last, key)
      last = key
    }
    yield page
  }
}

function isObject(entry: ListEntry): entry is ListEntry & { readonly kind: 'object' } {
  return entry.kind === 'object'
}

function outOfOrder(provider: StorageProvider, before: string, key: string): StorageError {
  return new StorageError(
    'internal',
    `migrate: the list of ${provider.name} is out of order: ${JSON.stringify(key)} comes behind ${JSON.stringify(before)}; keys must be listed in the order of their UTF-8 bytes`,
    { operation: 'migrate', provider: provider.name, key },
  )
}
