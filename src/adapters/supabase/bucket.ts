import { StorageError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { BucketNames } from './bucket-names.ts'
import { infoOfRecord } from './object-info.ts'
import type { Settings } from './options.ts'
import { garbage, type StorageApi } from './storage-api.ts'
import { translateFailure } from './storage-failure.ts'

/** What every operation works with. */
export interface Bucket {
  readonly id: string
  readonly api: StorageApi
  readonly names: BucketNames
  readonly settings: Settings
}

/** The one route that works with any credential, and for a bucket that is missing: any name does. */
const NO_OBJECT = '.stowage-is-the-bucket-there'

/** The attributes of the object under `name`. @throws `StorageFailure` where it is missing */
export async function infoOf(
  { api, names }: Bucket,
  key: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  // The route without `authenticated` takes a wrong key for no key, and says that the bucket does not exist.
  const path = `/object/info/authenticated/${names.pathOf(name)}`
  return infoOfRecord(key, await api.json({ method: 'GET', path, signal, readOnly: true }))
}

/**
 * Several routes answer as for a missing object, or with an empty list, where the bucket is missing.
 *
 * @throws `not-found` for the bucket
 */
export async function assertBucket(bucket: Bucket, signal: AbortSignal | undefined): Promise<void> {
  try {
    // Any name does. Asking for the bucket itself is refused to most credentials.
    await infoOf(bucket, '', NO_OBJECT, signal)
  } catch (error) {
    const meaning = translateFailure(error)
    if (meaning?.code === 'not-found' && meaning.resource === undefined) return
    throw error
  }
}

/**
 * The time on an answer: in whole seconds, and that of a proxy where one stands before the server. What the answer
 * says doesn't matter; that it is the server's does.
 */
export async function serverTime({ api, names }: Bucket, signal: AbortSignal | undefined): Promise<Date> {
  const path = `/object/info/authenticated/${names.pathOf(NO_OBJECT)}`
  const answer = await api.send({ method: 'GET', path, signal, readOnly: true })
  const time = Date.parse(answer.headers.get('date') ?? '')
  if (answer.status >= 500 || answer.status === 429) throw api.failure(answer)
  if (Number.isNaN(time)) throw garbage(answer.status)
  return new Date(time)
}

export function isFailure(error: unknown, code: string): boolean {
  if (error instanceof StorageError) return error.code === code
  return translateFailure(error)?.code === code
}

/**
 * Writes over what is there. Row policies that allow to insert and not to update refuse that even for a new name, so
 * what is refused is tried as an insert.
 */
export async function insertOrReplace<T>(
  write: (headers: Readonly<Record<string, string>>) => Promise<T>,
  mayRepeat: () => boolean = () => true,
): Promise<T> {
  try {
    return await write({ 'x-upsert': 'true' })
  } catch (refused) {
    if (!isFailure(refused, 'permission-denied') || !mayRepeat()) throw refused
    return write({}).catch(error => {
      throw isFailure(error, 'already-exists') ? refused : error
    })
  }
}
