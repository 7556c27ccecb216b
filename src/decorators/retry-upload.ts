import type { UploadBody } from '../core/body.ts'
import { isStorageError } from '../core/errors.ts'
import type { UploadOptions } from '../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../core/provider.ts'
import { type ContentIdentity, hasSameContent, identityOf } from '../core/same-content.ts'
import type { Tries } from './tries.ts'

/** A body that can be read again and gives the same bytes. */
type ReplayableBody = string | ArrayBuffer | ArrayBufferView | Blob

export function isReplayable(body: UploadBody): body is ReplayableBody {
  return (
    typeof body === 'string' ||
    ArrayBuffer.isView(body) ||
    body instanceof ArrayBuffer ||
    body instanceof SharedArrayBuffer ||
    body instanceof Blob
  )
}

/** Uploads with several tries; a condition that a lost try has made false by succeeding is no failure. */
export async function retryUpload(
  inner: StorageProvider,
  key: string,
  body: ReplayableBody,
  options: UploadOptions | undefined,
  tries: Tries,
): Promise<ObjectInfo> {
  const upload = () => inner.upload(key, body, options)
  return resolvedUpload(inner, key, upload, () => contentOf(body), options, tries)
}

type Conditions = Pick<UploadOptions, 'ifNoneMatch' | 'ifMatch' | 'metadata'>

/** The tries of an upload of any kind, whose bytes `content` can tell of. */
export async function resolvedUpload(
  inner: StorageProvider,
  key: string,
  upload: () => Promise<ObjectInfo>,
  content: () => Promise<ContentIdentity>,
  options: Conditions | undefined,
  tries: Tries,
): Promise<ObjectInfo> {
  try {
    return await tries.run(upload)
  } catch (error) {
    if (tries.unresolved === undefined || !isOwnDoing(error, options)) throw error
    const stored = await storedByLostTry(inner, key, content, options, tries.fresh())
    if (stored === undefined) throw error
    return stored
  }
}

function isOwnDoing(error: unknown, { ifNoneMatch, ifMatch }: Conditions = {}): boolean {
  return (
    (ifNoneMatch !== undefined && isStorageError(error, 'already-exists')) ||
    (ifMatch !== undefined && isStorageError(error, 'precondition-failed'))
  )
}

async function storedByLostTry(
  inner: StorageProvider,
  key: string,
  content: () => Promise<ContentIdentity>,
  options: Conditions | undefined,
  tries: Tries,
): Promise<ObjectInfo | undefined> {
  const { signal } = tries
  const stored = await tries
    .run(() => inner.info(key, { signal }))
    .catch(error => {
      if (isStorageError(error, 'not-found')) return undefined
      throw error
    })
  if (stored === undefined || !keepsMetadata(stored, options?.metadata)) return undefined
  const sent = await content()
  const same = await tries.run(() => hasSameContent(sent, stored, () => openVersion(inner, stored, signal)))
  return same ? stored : undefined
}

/** Opens exactly the version that `stored` describes, where the store can promise that. */
export function openVersion(inner: StorageProvider, stored: ObjectInfo, signal: AbortSignal | undefined) {
  const conditional = inner.capabilities.conditionalRead === true && stored.etag !== undefined
  return inner.download(stored.key, conditional ? { signal, ifMatch: stored.etag } : { signal })
}

async function contentOf(body: ReplayableBody): Promise<ContentIdentity> {
  const identity = identityOf()
  if (typeof body === 'string') identity.watch(Buffer.from(body))
  else if (body instanceof Blob) {
    for await (const chunk of body.stream() as unknown as AsyncIterable<Uint8Array>) identity.watch(chunk)
  } else if (ArrayBuffer.isView(body))
    identity.watch(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  else identity.watch(new Uint8Array(body))
  return identity.result()
}

function keepsMetadata(stored: ObjectInfo, metadata: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(metadata).every(([name, value]) => stored.metadata?.[name.toLowerCase()] === value)
}
