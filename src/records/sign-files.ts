import { fileNameOf } from '../core/content-disposition.ts'
import type { SignRequest } from '../core/driver.ts'
import { StorageError } from '../core/errors.ts'
import type { KeyResult, ObjectInfo, SignedUrl } from '../core/provider.ts'
import { rememberHandedOut } from './handed-out.ts'
import { metRecords } from './meet-files.ts'
import { type FileRecord, infoOf } from './record.ts'
import type { RecordSet } from './record-set.ts'

/** A file with what a page needs to show it. */
export interface SignedFile {
  readonly info: ObjectInfo
  /** Where the store has the bytes that the URL leads to. They never change under this key. */
  readonly physicalKey: string
  readonly signedUrl: SignedUrl
}

/** URLs of the current generations: one query for all, and as few requests to the store as it allows. */
export function signFiles(
  set: RecordSet,
  keys: readonly string[],
  request: SignRequest,
): Promise<KeyResult<SignedUrl>[]> {
  return signEach(set, keys, request, (_, signedUrl) => signedUrl)
}

/** The same, with what the query has told of the files beside. */
export function signedFiles(
  set: RecordSet,
  keys: readonly string[],
  request: SignRequest,
): Promise<KeyResult<SignedFile>[]> {
  return signEach(set, keys, request, (record, signedUrl) => ({
    info: infoOf(record),
    physicalKey: record.physical,
    signedUrl,
  }))
}

async function signEach<Value>(
  set: RecordSet,
  keys: readonly string[],
  request: SignRequest,
  told: (record: FileRecord, signedUrl: SignedUrl) => Value,
): Promise<KeyResult<Value>[]> {
  const { signal, expiresIn, method, download } = request
  const records = await metRecords(set, [...new Set(keys)], { signal })
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
  return keys.map(key => {
    const url = urls.get(key)
    if (url === undefined) return { key, ok: false, error: notFound(set, key) }
    return url.ok ? { key, ok: true, value: told(records.get(key)!, url.value) } : url
  })
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
