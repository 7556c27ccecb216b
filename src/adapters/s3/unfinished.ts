/** Uploads in parts that were begun and have not ended: listing them, and ending them for good. */
import type { UnfinishedAnswer, UnfinishedParts, UnfinishedRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
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

async function unfinishedPage(
  connection: S3Connection,
  { prefix, after, signal }: UnfinishedRequest,
): Promise<UnfinishedAnswer> {
  const query: Record<string, string> = { uploads: '', 'encoding-type': 'url' }
  if (prefix !== '') query.prefix = prefix
  if (after !== undefined) query['key-marker'] = after.key
  if (after?.uploadId !== undefined) query['upload-id-marker'] = after.uploadId
  const answer = await connection.send({ method: 'GET', query, signal })
  const result = parseAnswer(await answer.body.text(), 'ListMultipartUploadsResult')
  const name = nameDecoder(result)
  const uploads = childrenNamed(result, 'Upload').map(entry => uploadOf(entry, name))
  if (childText(result, 'IsTruncated') !== 'true') return { uploads }
  const key = name(childText(result, 'NextKeyMarker') ?? '')
  const uploadId = childText(result, 'NextUploadIdMarker')
  if (key === '') throw notS3('the server says that the list goes on, but not where')
  return { uploads, next: uploadId ? { key, uploadId } : { key } }
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
