/** Uploads in parts that were begun and have not ended: listing them, and ending them for good. */
import type { UnfinishedAnswer, UnfinishedParts, UnfinishedRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import { compareKeys } from '../../core/keys.ts'
import type { UnfinishedUpload } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { nameDecoder, parseAnswer } from './list.ts'
import { notS3 } from './read.ts'
import type { SdkCalls, UploadId } from './sdk-calls.ts'
import { childrenNamed, childText, type XmlElement } from './xml.ts'

/** Rounds of abort and look until no part is listed. */
const ABORT_ROUNDS = 5

export function unfinishedParts(connection: S3Connection, sdk: SdkCalls): UnfinishedParts {
  return {
    page: request => unfinishedPage(connection, request),
    abort: ({ key, uploadId, signal }) => abortUntilEmpty(sdk, { key, uploadId }, signal),
  }
}

/**
 * All uploads to a key, or none of them: the list goes on behind a key and never behind an upload, for one that was
 * aborted meanwhile makes MinIO end the list and versitygw refuse it.
 */
async function unfinishedPage(
  connection: S3Connection,
  { prefix, startAfter, signal }: UnfinishedRequest,
): Promise<UnfinishedAnswer> {
  const answer = await ask(connection, { prefix, 'key-marker': startAfter }, signal)
  const { next } = answer
  // MinIO looks at no marker that is a key alone.
  const uploads =
    startAfter === undefined
      ? answer.uploads
      : answer.uploads.filter(({ key }) => compareKeys(key, startAfter) > 0)
  if (next === undefined) return { uploads }
  const cut = uploads.at(-1)?.key ?? next.key
  const whole = uploads.filter(({ key }) => key !== cut)
  if (whole.length > 0) return { uploads: whole, next: whole.at(-1)!.key }
  return { uploads: [...uploads, ...(await restOf(cut, next, connection, signal))], next: cut }
}

/** What a page full of uploads to one key has left out. */
async function restOf(
  key: string,
  first: Marker,
  connection: S3Connection,
  signal: AbortSignal | undefined,
): Promise<UnfinishedUpload[]> {
  const rest: UnfinishedUpload[] = []
  for (let next: Marker | undefined = first; next?.key === key && next.uploadId !== undefined; ) {
    const markers = { prefix: key, 'key-marker': key, 'upload-id-marker': next.uploadId }
    const answer: Answer = await ask(connection, markers, signal)
    rest.push(...answer.uploads.filter(upload => upload.key === key))
    if (answer.next?.uploadId === next.uploadId) throw notS3('the server sends the same page again and again')
    next = answer.next
  }
  return rest
}

interface Marker {
  readonly key: string
  readonly uploadId: string | undefined
}

interface Answer {
  readonly uploads: UnfinishedUpload[]
  readonly next?: Marker
}

async function ask(
  connection: S3Connection,
  where: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const query: Record<string, string> = { uploads: '', 'encoding-type': 'url' }
  for (const [name, value] of Object.entries(where)) if (value) query[name] = value
  const answer = await connection.send({ method: 'GET', query, signal })
  const result = parseAnswer(await answer.body.text(), 'ListMultipartUploadsResult')
  const name = nameDecoder(result)
  const uploads = childrenNamed(result, 'Upload').map(entry => uploadOf(entry, name))
  if (childText(result, 'IsTruncated') !== 'true') return { uploads }
  const key = name(childText(result, 'NextKeyMarker') ?? '')
  if (key === '') throw notS3('the server says that the list goes on, but not where')
  return { uploads, next: { key, uploadId: childText(result, 'NextUploadIdMarker') || undefined } }
}

function uploadOf(entry: XmlElement, name: (text: string) => string): UnfinishedUpload {
  const startedAt = Date.parse(childText(entry, 'Initiated') ?? '')
  return {
    key: name(childText(entry, 'Key') ?? ''),
    uploadId: childText(entry, 'UploadId') ?? '',
    ...(Number.isNaN(startedAt) ? {} : { startedAt: new Date(startedAt) }),
  }
}

/**
 * A part that was still arriving can be stored after the abort; then it has to be aborted once more.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 *
 * @throws `conflict` where parts are listed after the last round
 */
export async function abortUntilEmpty(sdk: SdkCalls, upload: UploadId, signal?: AbortSignal): Promise<void> {
  try {
    for (let round = 0; round < ABORT_ROUNDS; round++) {
      await sdk.abortMultipart(upload, signal)
      if (!(await sdk.hasParts(upload, signal))) return
    }
  } catch (error) {
    if (isGone(error)) return
    throw error
  }
  throw new StorageError('conflict', 'parts of the upload keep arriving; try again when nobody sends them')
}

function isGone(error: unknown): boolean {
  return error instanceof Error && error.name === 'NoSuchUpload'
}
