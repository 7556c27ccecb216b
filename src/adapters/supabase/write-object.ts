import type { Attributes, WriteRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { type Bucket, infoOf, insertOrReplace, isFailure } from './bucket.ts'
import { temporaryName } from './bucket-names.ts'
import { assertSays, encodedMetadata, fieldsOf } from './object-info.ts'
import { discard, placeNew } from './place-new.ts'
import { keepsCacheControl, uploadResumable } from './resumable-upload.ts'
import { isBroken } from './storage-api.ts'
import { copyName } from './transfer-object.ts'

export async function writeObject(bucket: Bucket, request: WriteRequest): Promise<ObjectInfo> {
  const { key, attributes, ifNoneMatch, signal } = request
  const name = bucket.names.nameOf(key)
  const put = (target: string) => putBody(bucket, target, request)
  let size = 0
  if (ifNoneMatch === undefined) size = await put(name)
  else
    await placeNew(
      bucket,
      name,
      async temporary => {
        size = await put(temporary)
      },
      signal,
    )
  return writtenInfo(bucket, key, name, size, attributes, signal)
}

/** What was stored; what we know of it where it can't be looked at, or is another's by now. */
export async function writtenInfo(
  bucket: Bucket,
  key: string,
  name: string,
  size: number,
  attributes: Attributes,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  const sent: ObjectInfo = { ...attributes, key, size, metadata: attributes.metadata ?? {} }
  let stored: ObjectInfo
  try {
    stored = await infoOf(bucket, key, name, signal)
  } catch (error) {
    // Row policies may allow to write and not to read.
    if (isFailure(error, 'not-found')) return sent
    throw error
  }
  return stored.size === size ? stored : sent
}

/** Bytes stored under `name`, over what is there. */
async function putBody(bucket: Bucket, name: string, request: WriteRequest): Promise<number> {
  const { body, attributes, signal } = request
  const { resumableThresholdBytes } = bucket.settings
  if (body.bytes !== undefined && body.bytes.length <= resumableThresholdBytes) {
    await putBytes(bucket, name, body.bytes, attributes, signal)
    body.sent(body.bytes.length)
    return body.bytes.length
  }
  const source = body.chunks()[Symbol.asyncIterator]()
  try {
    const ahead: Uint8Array[] = []
    if (body.size === undefined || body.size <= resumableThresholdBytes) {
      // Gathered, so that no request is begun for a body that fails: the server may take any end for the end.
      const whole = await gather(source, ahead, resumableThresholdBytes)
      if (whole !== undefined) {
        await putBytes(bucket, name, whole, attributes, signal)
        return whole.length
      }
    }
    return await putResumable(bucket, name, { ahead, source, size: body.size }, attributes, signal)
  } finally {
    // A source that hangs never answers: nobody waits for it.
    void source.return?.()?.catch(() => {})
  }
}

async function gather(
  source: AsyncIterator<Uint8Array>,
  ahead: Uint8Array[],
  most: number,
): Promise<Uint8Array | undefined> {
  for (let size = 0; size <= most; ) {
    const { value, done } = await source.next()
    if (done) return ahead.length === 1 ? ahead[0]! : Buffer.concat(ahead)
    // The caller may use its buffer again.
    ahead.push(Uint8Array.from(value))
    size += value.length
  }
  return undefined
}

async function putBytes(
  bucket: Bucket,
  name: string,
  bytes: Uint8Array,
  { contentType, cacheControl, metadata = {} }: Attributes,
  signal: AbortSignal | undefined,
): Promise<void> {
  const headers = {
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(cacheControl === undefined ? {} : { 'cache-control': cacheControl }),
    'x-metadata': encodedMetadata(metadata),
  }
  const path = `/object/${bucket.names.pathOf(name)}`
  try {
    const answer = await insertOrReplace(upsert =>
      bucket.api.json({ method: 'POST', path, headers: { ...upsert, ...headers }, bytes, signal }),
    )
    assertSays(answer, 'Key')
  } catch (error) {
    if (isBroken(error)) await assertNotTooLarge(bucket, bytes.length, signal)
    throw error
  }
}

/** The server may refuse a body before it has read it, and close: then the answer is lost in the broken connection. */
async function assertNotTooLarge(
  { id, api }: Bucket,
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let most: unknown
  try {
    const path = `/bucket/${encodeURIComponent(id)}`
    most = fieldsOf(await api.json({ method: 'GET', path, signal, readOnly: true })).file_size_limit
  } catch {
    return
  }
  if (typeof most !== 'number' || size <= most) return
  throw new StorageError('too-large', `${size} bytes are more than the ${most} that the bucket takes`)
}

async function putResumable(
  bucket: Bucket,
  name: string,
  body: Parameters<typeof uploadResumable>[2],
  attributes: Attributes,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { cacheControl } = attributes
  if (keepsCacheControl(cacheControl)) return uploadResumable(bucket, name, body, attributes, signal)
  // TUS drops every cache-control but one of seconds; a copy keeps it, and nobody sees the object without.
  const temporary = temporaryName(name)
  try {
    const size = await uploadResumable(bucket, temporary, body, attributes, signal)
    await copyName(bucket, temporary, name, '', { ...attributes, cacheControl: cacheControl! }, signal)
    return size
  } finally {
    await discard(bucket, temporary)
  }
}
