import { fileNameOf } from '../core/content-disposition.ts'
import type { SignRequest } from '../core/driver.ts'
import { StorageError } from '../core/errors.ts'
import type { KeyResult, SignedUrl } from '../core/provider.ts'
import { rememberHandedOut } from './handed-out.ts'
import type { FileRecord } from './record.ts'
import type { RecordSet } from './record-set.ts'

/** URLs of the current generations: one query for all, and as few requests to the store as it allows. */
export async function signFiles(
  set: RecordSet,
  keys: readonly string[],
  request: SignRequest,
): Promise<KeyResult<SignedUrl>[]> {
  const { signal, expiresIn, method, download } = request
  const records = await set.records([...new Set(keys)], { signal })
  const found = keys.flatMap(key => records.get(key) ?? [])
  // An unnamed download is saved under the file's name, which the physical key does not have: each asks by itself.
  const groups = download === '' ? found.map(record => [record]) : [found]
  const urls = new Map<string, KeyResult<SignedUrl>>()
  for (const group of groups) {
    if (group.length === 0) continue
    const name = download === '' ? fileNameOf(group[0]!.key) : download
    const results = await set.provider.signedUrls(
      group.map(record => record.physical),
      { expiresIn, method, signal, ...(name === undefined ? {} : { download: name }) },
    )
    results.forEach((result, index) => {
      urls.set(group[index]!.key, { ...result, key: group[index]!.key } as KeyResult<SignedUrl>)
    })
  }
  await rememberHandedOut(set, signed(found, urls))
  return keys.map(key => urls.get(key) ?? { key, ok: false, error: notFound(set, key) })
}

function signed(found: readonly FileRecord[], urls: ReadonlyMap<string, KeyResult<SignedUrl>>) {
  return found.flatMap(({ key, physical }) => {
    const result = urls.get(key)!
    return result.ok ? [{ physical, url: result.value.url }] : []
  })
}

function notFound(set: RecordSet, key: string): StorageError {
  return new StorageError('not-found', 'signedUrl: there is no file under this key', {
    operation: 'signedUrl',
    key,
    provider: set.provider.name,
  })
}
