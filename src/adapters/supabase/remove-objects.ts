import { mapBounded } from '../../core/batches.ts'
import type { StorageError } from '../../core/errors.ts'
import type { DeleteResult } from '../../core/results.ts'
import { toStorageError } from '../../core/translate.ts'
import { assertBucket, type Bucket, isFailure } from './bucket.ts'
import { assertSays, fieldsOf, listOf } from './object-info.ts'
import { translateFailure } from './storage-failure.ts'

const CONCURRENCY = 8

/** Its row is deleted with the caller's rights but looked up with the server's: 404 is missing, 403 refused. */
export async function removeObject(
  bucket: Bucket,
  key: string,
  signal: AbortSignal | undefined,
): Promise<DeleteResult> {
  const path = `/object/${bucket.names.pathOf(bucket.names.nameOf(key))}`
  try {
    assertSays(await bucket.api.json({ method: 'DELETE', path, signal }), 'message')
    return { key, status: 'deleted' }
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
    await assertBucket(bucket, signal)
    return { key, status: 'missing' }
  }
}

/**
 * One request for all. What it leaves out was missing or refused; a second request tells for a credential that sees
 * everything, one request per key for the others.
 */
export async function removeObjects(
  bucket: Bucket,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<DeleteResult[]> {
  const results = new Map<string, DeleteResult>()
  const names = new Map<string, string>()
  for (const key of keys) {
    try {
      names.set(bucket.names.nameOf(key), key)
    } catch (error) {
      results.set(key, { key, status: 'error', error: error as StorageError })
    }
  }
  const deleted = names.size === 0 ? new Set() : await deleteRows(bucket, [...names.keys()], signal)
  const absent = [...names].filter(([name]) => !deleted.has(name))
  for (const [name, key] of names) if (deleted.has(name)) results.set(key, { key, status: 'deleted' })
  if (absent.length > 0) {
    await assertBucket(bucket, signal)
    const doubtful = await stillDoubtful(bucket, absent, signal)
    for (const [, key] of absent) results.set(key, { key, status: 'missing' })
    await mapBounded(doubtful, CONCURRENCY, async ([, key]) => {
      results.set(key, await removeOrError(bucket, key, signal))
    })
  }
  const seen = new Set<string>()
  return keys.map(key => {
    const result = results.get(key)!
    const again = seen.has(key)
    seen.add(key)
    return again && result.status === 'deleted' ? { key, status: 'missing' } : result
  })
}

/** The names whose rows are gone by this request: of many that ask at once, one gets each. */
export async function deleteRows(
  { id, api }: Bucket,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Set<unknown>> {
  const path = `/object/${encodeURIComponent(id)}`
  const rows = listOf(await api.json({ method: 'DELETE', path, json: { prefixes: names }, signal }))
  return new Set(rows.map(row => fieldsOf(row).name))
}

async function stillDoubtful(
  { id, api }: Bucket,
  absent: [name: string, key: string][],
  signal: AbortSignal | undefined,
): Promise<[name: string, key: string][]> {
  if (!(await api.connection.seesEverything())) return absent
  // The one request that tells of many names whether they are there.
  const paths = absent.map(([name]) => name)
  const path = `/object/sign/${encodeURIComponent(id)}`
  const answers = listOf(
    await api.json({ method: 'POST', path, json: { expiresIn: 1, paths }, signal, readOnly: true }),
  )
  return absent.filter((_, at) => fieldsOf(answers[at] ?? {}).error === null)
}

async function removeOrError(
  bucket: Bucket,
  key: string,
  signal: AbortSignal | undefined,
): Promise<DeleteResult> {
  try {
    return await removeObject(bucket, key, signal)
  } catch (thrown) {
    if (signal?.aborted) throw thrown
    const context = {
      operation: 'deleteMany',
      provider: 'supabase',
      key,
      signal,
      translate: translateFailure,
    }
    return { key, status: 'error', error: toStorageError(thrown, context) }
  }
}
