import { digest } from '../../core/checksum.ts'
import type { WriteRequest } from '../../core/driver.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { attributeHeaders, checksumHeader, infoOf } from './object-headers.ts'
import type { S3Settings } from './options.ts'
import { assertIsS3 } from './read.ts'

/** One PUT: of bytes, or of a stream whose length is known. */
export async function putObject(
  connection: S3Connection,
  settings: S3Settings,
  request: WriteRequest,
  bytes: Uint8Array | undefined,
): Promise<ObjectInfo> {
  const { key, body, attributes, checksum, signal } = request
  const headers = { ...attributeHeaders(attributes, settings), ...conditionHeaders(request) }
  const size = bytes?.length ?? body.size!
  headers['content-length'] = String(size)
  let payloadHash: string | undefined
  if (bytes !== undefined && checksum !== undefined) {
    const sum = body.digest ?? digest(checksum.algorithm, bytes)
    Object.assign(headers, checksumHeader(checksum.algorithm, sum))
    if (checksum.algorithm === 'sha256') payloadHash = sum
  }
  const answer = await connection.send({
    method: 'PUT',
    key,
    headers,
    body: bytes ?? body.chunks(),
    signal,
    ...(payloadHash === undefined ? {} : { payloadHash }),
  })
  await answer.body.bytes()
  assertIsS3(answer.headers)
  if (body.bytes !== undefined) body.sent(size)
  return writtenInfo(request, size, answer.headers)
}

export function conditionHeaders({ ifMatch, ifNoneMatch }: Pick<WriteRequest, 'ifMatch' | 'ifNoneMatch'>) {
  const headers: Record<string, string> = {}
  if (ifMatch !== undefined) headers['if-match'] = `"${ifMatch}"`
  if (ifNoneMatch !== undefined) headers['if-none-match'] = ifNoneMatch
  return headers
}

/** What was sent, with what the server has added. The storage class is the server's to say, later. */
function writtenInfo(request: WriteRequest, size: number, headers: Parameters<typeof infoOf>[1]): ObjectInfo {
  const { storageClass: _, ...attributes } = request.attributes
  const { metadata: __, contentType: ___, ...answered } = infoOf(request.key, headers, size)
  return { ...answered, ...attributes, metadata: { ...attributes.metadata } }
}
