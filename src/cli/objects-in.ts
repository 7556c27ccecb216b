import { isStorageError, StorageError } from '../core/errors.ts'
import type { ObjectInfo, StorageProvider } from '../core/provider.ts'
import { UsageError } from './exit-codes.ts'
import { printable } from './human-format.ts'

/**
 * What lies in a folder. A folder that holds nothing is a mistyped one: folders exist by what is in them.
 *
 * @throws `not-found`; the whole store, whose prefix is empty, may be empty
 */
export async function* objectsIn(
  store: StorageProvider,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo> {
  let found = false
  for await (const entry of store.list({ prefix, signal })) {
    if (entry.kind !== 'object') continue
    found = true
    yield entry
  }
  if (!found && prefix !== '')
    throw new StorageError('not-found', 'nothing is stored in this folder', { key: prefix })
}

/** What is known of one object; says so where the key is that of a folder. */
export async function objectOf(
  store: StorageProvider,
  key: string,
  signal: AbortSignal,
): Promise<ObjectInfo> {
  try {
    return await store.info(key, { signal })
  } catch (error) {
    if (!isStorageError(error, 'not-found') || error.resource === 'bucket') throw error
    const prefix = key.endsWith('/') ? key : `${key}/`
    for await (const _ of store.list({ prefix, pageSize: 1, signal }))
      throw new UsageError(`${printable(key)} is a folder; add -r for what is in it`)
    throw error
  }
}
