import type { S3Connection } from './connection.ts'
import { parseAnswer } from './list.ts'
import { stripQuotes } from './object-headers.ts'
import { notS3 } from './read.ts'
import type { UploadId } from './sdk-calls.ts'
import { childrenNamed, childText } from './xml.ts'

/** What the server has of an unfinished upload, by part number. @throws `S3Failure` NoSuchUpload */
export async function listedParts(
  connection: S3Connection,
  { key, uploadId }: UploadId,
  signal: AbortSignal | undefined,
): Promise<Map<number, { readonly etag: string; readonly size: number }>> {
  const parts = new Map<number, { etag: string; size: number }>()
  for (let after = 0; ; ) {
    const query = { uploadId, 'max-parts': '1000', 'part-number-marker': String(after) }
    const answer = await connection.send({ method: 'GET', key, query, signal })
    const result = parseAnswer(await answer.body.text(), 'ListPartsResult')
    for (const part of childrenNamed(result, 'Part')) {
      const number = Number(childText(part, 'PartNumber'))
      parts.set(number, {
        etag: stripQuotes(childText(part, 'ETag')) ?? '',
        size: Number(childText(part, 'Size')),
      })
    }
    if (childText(result, 'IsTruncated') !== 'true') return parts
    const next = Number(childText(result, 'NextPartNumberMarker'))
    if (!(next > after)) throw notS3('the server says that the list of parts goes on, but not where')
    after = next
  }
}
