/** An upload in parts that an earlier call has begun: its token, and what the server has of it. */
import type { Attributes, ResumableRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { uploadFingerprint } from '../../core/upload-fingerprint.ts'
import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import { multipartEtag } from './multipart.ts'
import { headObject } from './read.ts'
import type { SdkCalls, StoredPart, UploadId } from './sdk-calls.ts'
import { listedParts } from './stored-parts.ts'
import { abortUntilEmpty } from './unfinished.ts'

export interface PartsUpload extends UploadId {
  readonly partBytes: number
  /** By number less one; undefined where the part has to be sent. */
  readonly stored: (StoredPart | undefined)[]
}

/** The bytes of the part at `at`, counted from 0. */
export function spanOf({ partBytes }: { readonly partBytes: number }, at: number, size: number) {
  return { start: at * partBytes, end: Math.min(size, (at + 1) * partBytes) }
}

/** Names the upload, the size of its parts, and what was begun: a begun upload's attributes can't be changed. */
export function tokenOf({ partBytes, uploadId }: PartsUpload, request: ResumableRequest): string {
  return `${partBytes}.${uploadFingerprint(request)}.${uploadId}`
}

/**
 * The upload that `resume` names, with the parts of it that the server confirms; the object, where it was completed and nobody heard of it;
 * undefined where a new one is to be begun. @throws `invalid-argument` for a token of another kind
 */
export async function resumedUpload(
  connection: S3Connection,
  sdk: SdkCalls,
  request: ResumableRequest,
): Promise<PartsUpload | { readonly info: ObjectInfo } | undefined> {
  const { key, source, resume, signal } = request
  if (resume === undefined) return undefined
  const [, bytes, print, uploadId] = /^(\d{1,10})\.([\w-]{22})\.(.+)$/.exec(resume.token) ?? []
  if (uploadId === undefined)
    throw new StorageError(
      'invalid-argument',
      'resume.token is none of this store; leave resume out to begin anew',
    )
  if (print !== uploadFingerprint(request)) {
    // Nobody else knows of it any more.
    await abortUntilEmpty(sdk, { key, uploadId }, signal).catch(() => {})
    return undefined
  }
  const partBytes = Number(bytes)
  const known = knownParts(request, partBytes)
  let listed: Awaited<ReturnType<typeof listedParts>>
  try {
    listed = await listedParts(connection, { key, uploadId }, signal)
  } catch (error) {
    if (!(error instanceof S3Failure) || error.s3Code !== 'NoSuchUpload') throw error
    return completedUpload(connection, request, known)
  }
  const stored = known.map((etag, at): StoredPart | undefined => {
    const part = listed.get(at + 1)
    const { start, end } = spanOf({ partBytes }, at, source.size)
    if (part === undefined || part.etag !== etag || part.size !== end - start) return undefined
    request.kept(end - start)
    return { PartNumber: at + 1, ETag: `"${etag}"` }
  })
  return { key, uploadId, partBytes, stored }
}

/** The etags that the caller knows, part by part. */
function knownParts({ source, resume }: ResumableRequest, partBytes: number): (string | undefined)[] {
  const etags = new Map(resume!.parts.map(({ start, end, etag }) => [`${start}-${end}`, etag]))
  return Array.from({ length: Math.ceil(source.size / partBytes) }, (_, at) => {
    const { start, end } = spanOf({ partBytes }, at, source.size)
    return etags.get(`${start}-${end}`)
  })
}

/** What is stored, where it is made of just these parts and has the attributes that were to be stored. */
async function completedUpload(
  connection: S3Connection,
  { key, attributes, source, signal }: ResumableRequest,
  etags: readonly (string | undefined)[],
): Promise<{ readonly info: ObjectInfo } | undefined> {
  const expected = multipartEtag(etags)
  if (expected === undefined) return undefined
  const head = { key, ifMatch: undefined, ifNoneMatch: undefined, signal }
  const info = await headObject(connection, head).catch(error => {
    if (error instanceof S3Failure && error.status === 404) return undefined
    throw error
  })
  if (info?.etag !== expected || info.size !== source.size || !has(info, attributes)) return undefined
  return { info }
}

function has(info: ObjectInfo, { storageClass: _, metadata = {}, ...headers }: Attributes): boolean {
  const kept = { ...info.metadata }
  return (
    Object.entries(headers).every(([name, value]) => info[name as keyof typeof headers] === value) &&
    Object.keys(kept).length === Object.keys(metadata).length &&
    Object.entries(metadata).every(([name, value]) => kept[name] === value)
  )
}
