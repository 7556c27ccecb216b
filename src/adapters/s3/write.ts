import type { Body } from '../../core/body.ts'
import { digest } from '../../core/checksum.ts'
import type { WriteRequest } from '../../core/driver.ts'
import type { ObjectAttributes } from '../../core/options.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { attributeHeaders, checksumHeader, infoOf } from './object-headers.ts'
import type { S3Settings } from './options.ts'
import { assertIsS3 } from './read.ts'

type PutRequest = Omit<WriteRequest, 'own' | 'body'> & { readonly body: Body | undefined }

/** One PUT. `sha256` of the bytes, in hexadecimal, where it is known already. */
export async function putObject(
  connection: S3Connection,
  settings: S3Settings,
  request: PutRequest,
  bytes: Uint8Array,
  sha256?: string,
): Promise<ObjectInfo> {
  const { key, body, attributes, checksum, signal } = request
  const headers = { ...attributeHeaders(attributes, settings), ...conditionHeaders(request) }
  const size = bytes.length
  headers['content-length'] = String(size)
  let sum: string | undefined
  if (checksum !== undefined) {
    sum = body?.digest ?? digest(checksum.algorithm, bytes)
    Object.assign(headers, checksumHeader(checksum.algorithm, sum))
  }
  // Signed also over TLS: a server then keeps nothing of a body that breaks off.
  const payloadHash = checksum?.algorithm === 'sha256' ? sum! : (sha256 ?? digest('sha256', bytes))
  const answer = await connection.send({
    method: 'PUT',
    key,
    headers,
    body: bytes,
    payloadHash,
    signal,
  })
  await answer.body.bytes()
  assertIsS3(answer.headers)
  if (body?.bytes !== undefined) body.sent(size)
  return writtenInfo(request, size, answer.headers)
}

export function conditionHeaders({ ifMatch, ifNoneMatch }: Pick<WriteRequest, 'ifMatch' | 'ifNoneMatch'>) {
  const headers: Record<string, string> = {}
  if (ifMatch !== undefined) headers['if-match'] = `"${ifMatch}"`
  if (ifNoneMatch !== undefined) headers['if-none-match'] = ifNoneMatch
  return headers
}

/** What was sent, with what the server has added. The storage class is the server's to say, later. */
function writtenInfo(request: PutRequest, size: number, headers: Parameters<typeof infoOf>[1]): ObjectInfo {
  const { attributes } = request
  const info: Writable<ObjectInfo> = infoOf(request.key, headers, size)
  // Of the answer itself.
  if (attributes.contentType === undefined) delete info.contentType
  for (const name of SENT) if (attributes[name] !== undefined) info[name] = attributes[name]
  info.metadata = { ...attributes.metadata }
  return info
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

const SENT = [
  'contentType',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
] as const satisfies readonly (keyof ObjectAttributes)[]
