import type { Body } from '../../core/body.ts'
import { EMPTY_SHA256 } from '../../core/checksum.ts'
import type { Attributes, ResumableRequest } from '../../core/driver.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { type Bucket, infoOf, insertOrReplace, isFailure } from './bucket.ts'
import { temporaryName } from './bucket-names.ts'
import { PartSource } from './part-source.ts'
import { assertFree, discard, placeTemporary } from './place-new.ts'
import { keepsCacheControl, terminate, tusUpload } from './resumable-upload.ts'
import { resumedTus, type TusResumed, tokenOf } from './resumed-tus.ts'
import { copyName } from './transfer-object.ts'
import { writeObject, writtenInfo } from './write-object.ts'

/**
 * Sends the source by TUS, one chunk after the other, from the byte that the server has come to. What a condition or a
 * cache-control needs is uploaded under a temporary name, which the token knows, and placed at the end.
 */
export async function writeResumable(bucket: Bucket, request: ResumableRequest): Promise<ObjectInfo> {
  const { key, source, attributes, ifNoneMatch, signal } = request
  const name = bucket.names.nameOf(key)
  const throughTemporary = ifNoneMatch !== undefined || !keepsCacheControl(attributes.cacheControl)
  let resumed = await resumedTus(bucket, request, throughTemporary)
  if (
    resumed?.offset === source.size &&
    !(await isThere(bucket, resumed.temporary ?? name, request, resumed))
  ) {
    const placed = throughTemporary && (await isThere(bucket, name, request, resumed))
    if (placed) return writtenInfo(bucket, key, name, source.size, attributes, signal)
    if (resumed.temporary !== undefined) await discard(bucket, resumed.temporary)
    resumed = undefined
  }
  if (resumed === undefined && source.size <= bucket.settings.resumableThresholdBytes)
    return writeWhole(bucket, request)
  if (ifNoneMatch !== undefined) await assertFreeOrEnd(bucket, name, resumed, signal)
  const temporary = await send(bucket, name, request, throughTemporary, resumed)
  if (temporary !== undefined) await place(bucket, temporary, name, attributes, ifNoneMatch, signal)
  return writtenInfo(bucket, key, name, source.size, attributes, signal)
}

/** @returns the temporary name that the bytes are under now, where they are under one */
async function send(
  bucket: Bucket,
  name: string,
  request: ResumableRequest,
  throughTemporary: boolean,
  resumed: TusResumed | undefined,
): Promise<string | undefined> {
  const { source, attributes, begun, signal } = request
  const temporary = throughTemporary ? (resumed?.temporary ?? temporaryName(name)) : undefined
  const parts = new PartSource(request, bucket.settings.chunkSizeBytes, resumed?.known ?? 0)
  let noted = resumed !== undefined
  let given = false
  const note = async (token: string) => {
    await begun?.(token)
    noted = true
  }
  const upload = (headers: Readonly<Record<string, string>>) =>
    tusUpload(bucket, {
      name: temporary ?? name,
      size: source.size,
      attributes,
      source: parts,
      headers,
      signal,
      keeps: () => noted && begun !== undefined,
      ...(resumed === undefined ? {} : { url: resumed.url }),
      onUrl(url) {
        if (resumed !== undefined || given) return
        given = true
        const token = tokenOf({ url, temporary, headers }, request)
        parts.begun(note(token))
      },
    })
  if (resumed === undefined) await insertOrReplace(upload, () => !given)
  else if (resumed.offset < source.size) await upload(resumed.headers)
  await parts.ended()
  return temporary
}

/** Gives what was uploaded under a temporary name its own, with the attributes that TUS drops. */
async function place(
  bucket: Bucket,
  uploaded: string,
  name: string,
  attributes: Attributes,
  ifNoneMatch: '*' | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (keepsCacheControl(attributes.cacheControl)) return placeTemporary(bucket, uploaded, name, signal)
  const target = ifNoneMatch === undefined ? name : temporaryName(name)
  await copyName(bucket, uploaded, target, '', attributes, signal)
  await discard(bucket, uploaded)
  if (target !== name) await placeTemporary(bucket, target, name, signal)
}

async function assertFreeOrEnd(
  bucket: Bucket,
  name: string,
  resumed: TusResumed | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await assertFree(bucket, name, signal)
  } catch (error) {
    if (resumed !== undefined && isFailure(error, 'already-exists')) {
      await terminate(bucket.api, resumed.headers, resumed.url)
      await discard(bucket, resumed.temporary!)
    }
    throw error
  }
}

/** Whether an upload that has ended is the object under `name`: by its size, and only for who knows all its parts. */
async function isThere(
  bucket: Bucket,
  name: string,
  { source, signal }: ResumableRequest,
  { known }: TusResumed,
): Promise<boolean> {
  if (known < source.size) return false
  try {
    return (await infoOf(bucket, '', name, signal)).size === source.size
  } catch (error) {
    if (isFailure(error, 'not-found')) return false
    throw error
  }
}

async function writeWhole(bucket: Bucket, request: ResumableRequest): Promise<ObjectInfo> {
  const { source, signal } = request
  const { size } = source
  const whole = size === 0 ? undefined : await source.read(0, size, signal)
  const { bytes = new Uint8Array(0), sha256 = EMPTY_SHA256 } = whole ?? {}
  const info = await writeObject(bucket, {
    ...request,
    body: bodyOf(bytes, sha256),
    checksum: undefined,
    own: {},
  })
  if (size > 0) await request.stored({ start: 0, end: size, sha256 })
  return info
}

function bodyOf(bytes: Uint8Array, digest: string): Body {
  return {
    size: bytes.length,
    bytes,
    loaded: bytes.length,
    digest,
    sent() {},
    async *chunks() {
      yield bytes
    },
    discard: async () => {},
  }
}
