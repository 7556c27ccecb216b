/** A TUS upload that an earlier call has begun: its token, and how far the server has come with it. */
import type { ResumableRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { uploadFingerprint } from '../../core/upload-fingerprint.ts'
import type { Bucket } from './bucket.ts'
import { endpointOf, terminate } from './resumable-upload.ts'

export interface TusBegun {
  readonly url: string
  /** The name that it is uploaded under, where that is not the object's own. */
  readonly temporary: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

export interface TusResumed extends TusBegun {
  /** Bytes that the server has; all of them where the upload has become an object. */
  readonly offset: number
  /** Bytes that the caller knows, to the end of a part. */
  readonly known: number
}

/** The id is the upload's address, and all that one needs who may write to the bucket. */
export function tokenOf({ url, temporary, headers }: TusBegun, request: ResumableRequest): string {
  const id = url.slice(url.lastIndexOf('/') + 1)
  const upsert = headers['x-upsert'] === 'true' ? 'u' : 'i'
  const name = Buffer.from(temporary ?? '').toString('base64url')
  return `${upsert}.${uploadFingerprint(request)}.${name}.${id}`
}

/** Undefined where a new upload is to be begun. @throws `invalid-argument` for a token of another kind */
export async function resumedTus(
  bucket: Bucket,
  request: ResumableRequest,
  throughTemporary: boolean,
): Promise<TusResumed | undefined> {
  const { resume, source, signal } = request
  if (resume === undefined) return undefined
  const [, upsert, print, name, id] = /^([ui])\.([\w-]{22})\.([\w-]*)\.([\w~+=-]+)$/.exec(resume.token) ?? []
  if (id === undefined)
    throw new StorageError(
      'invalid-argument',
      'resume.token is none of this store; leave resume out to begin anew',
    )
  const url = `${endpointOf(bucket.api)}/${id}`
  const headers: Record<string, string> = upsert === 'u' ? { 'x-upsert': 'true' } : {}
  const temporary = Buffer.from(name!, 'base64url').toString() || undefined
  const begun = { url, temporary, headers }
  if (print !== uploadFingerprint(request) || (temporary !== undefined) !== throughTemporary) {
    // Nobody else knows of it any more.
    await terminate(bucket.api, headers, url)
    return undefined
  }
  const offset = await offsetOf(bucket, url, source.size, signal)
  if (offset === undefined) return undefined
  const known = knownBytes(request, offset)
  if (known > 0) request.kept(known)
  return { ...begun, offset, known }
}

/** Undefined where the upload is gone. */
async function offsetOf(
  { api }: Bucket,
  url: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const path = url.slice(api.connection.storageUrl.length)
  const headers = { 'tus-resumable': '1.0.0' }
  const answer = await api.send({ method: 'HEAD', path, headers, signal, readOnly: true })
  if ([400, 403, 404, 410].includes(answer.status)) return undefined
  if (answer.status >= 300) throw api.failure(answer)
  const offset = Number(answer.headers.get('upload-offset') ?? 'none')
  const length = Number(answer.headers.get('upload-length') ?? 'none')
  return Number.isSafeInteger(offset) && length === size ? offset : undefined
}

/** The end of the caller's parts from the first byte on, as far as the server has them. */
function knownBytes({ resume }: ResumableRequest, offset: number): number {
  let known = 0
  for (const { start, end } of [...resume!.parts].sort((a, b) => a.start - b.start))
    if (start === known && end <= offset) known = end
  return known
}
