import type { Checksum, ChecksumAlgorithm } from '../../core/checksum.ts'
import type { Attributes } from '../../core/driver.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { fromHeaderText, toHeaderText } from './header-text.ts'
import { decodeMetadataValue, encodeMetadataValue } from './metadata-codec.ts'
import type { S3Settings } from './options.ts'
import type { HttpAnswer } from './transport.ts'

const METADATA = 'x-amz-meta-'

/** Attributes by the header that carries them. */
const HEADERS = {
  contentType: 'content-type',
  cacheControl: 'cache-control',
  contentDisposition: 'content-disposition',
  contentEncoding: 'content-encoding',
  contentLanguage: 'content-language',
  storageClass: 'x-amz-storage-class',
} as const satisfies Partial<Record<keyof Attributes, string>>
const HEADER_NAMES = Object.entries(HEADERS) as [keyof typeof HEADERS, string][]

/** What S3 keeps beside an object: those that `Checksum` knows and that headers report. */
const CHECKSUM_HEADERS: readonly [ChecksumAlgorithm, string][] = [
  ['sha256', 'x-amz-checksum-sha256'],
  ['sha1', 'x-amz-checksum-sha1'],
  ['crc64nvme', 'x-amz-checksum-crc64nvme'],
  ['crc32', 'x-amz-checksum-crc32'],
  ['crc32c', 'x-amz-checksum-crc32c'],
]

export function attributeHeaders(attributes: Attributes, settings: S3Settings): Record<string, string> {
  const headers: Record<string, string> = encryptionHeaders(settings)
  for (const [attribute, header] of HEADER_NAMES) {
    const value = attributes[attribute]
    if (value !== undefined) headers[header] = value
  }
  for (const [name, value] of Object.entries(attributes.metadata ?? {}))
    headers[METADATA + name] = encodeMetadataValue(value)
  return headers
}

function encryptionHeaders({ serverSideEncryption, sseKmsKeyId }: S3Settings): Record<string, string> {
  return {
    ...(serverSideEncryption === undefined ? {} : { 'x-amz-server-side-encryption': serverSideEncryption }),
    ...(sseKmsKeyId === undefined ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': sseKmsKeyId }),
  }
}

/** Headers as they go over the wire, after they have been signed as text. */
export function wireHeaders(headers: Record<string, string>): Record<string, string> {
  for (const name in headers) headers[name] = toHeaderText(headers[name]!)
  return headers
}

export function checksumHeader(algorithm: string, hex: string): Record<string, string> {
  const value = Buffer.from(hex, 'hex').toString('base64')
  return algorithm === 'md5'
    ? { 'content-md5': value }
    : { [`x-amz-checksum-${algorithm}`]: value, 'x-amz-sdk-checksum-algorithm': algorithm.toUpperCase() }
}

export function one(headers: HttpAnswer['headers'], name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

export function stripQuotes(etag: string | undefined): string | undefined {
  if (etag === undefined) return undefined
  const start = etag.startsWith('W/') ? 2 : 0
  const isQuoted = etag.length > start + 1 && etag[start] === '"' && etag.endsWith('"')
  return isQuoted ? etag.slice(start + 1, -1) : etag
}

/** What an answer to GET, HEAD or PUT says of the object. `size` is the answer's own unless given. */
export function infoOf(key: string, headers: HttpAnswer['headers'], size: number): ObjectInfo {
  const info: { -readonly [Field in keyof ObjectInfo]: ObjectInfo[Field] } = { key, size }
  const etag = stripQuotes(one(headers, 'etag'))
  if (etag !== undefined) info.etag = etag
  const modified = Date.parse(one(headers, 'last-modified') ?? '')
  if (!Number.isNaN(modified)) info.lastModified = new Date(modified)
  for (const [attribute, header] of HEADER_NAMES) {
    const value = one(headers, header)
    if (value !== undefined && value !== '') info[attribute] = fromHeaderText(value)
  }
  // The framing of a chunked upload, which some servers keep.
  if (info.contentEncoding !== undefined) {
    const rest = info.contentEncoding.replace(/\s*,?\s*aws-chunked\s*,?\s*/, '')
    if (rest === '') delete info.contentEncoding
    else info.contentEncoding = rest
  }
  let metadata: Record<string, string> | undefined
  for (const name in headers) {
    if (!name.startsWith(METADATA)) continue
    metadata ??= {}
    metadata[name.slice(METADATA.length)] = decodeMetadataValue(fromHeaderText(one(headers, name)!))
  }
  info.metadata = metadata ?? {}
  const checksum = checksumOf(name => one(headers, name))
  if (checksum !== undefined) info.checksum = checksum
  const versionId = one(headers, 'x-amz-version-id')
  if (versionId !== undefined && versionId !== 'null') info.versionId = versionId
  return info
}

/** Reads `base64` or, for one made of the parts' checksums, `base64-parts`. */
function checksumOf(header: (name: string) => string | undefined): Checksum | undefined {
  for (const [algorithm, name] of CHECKSUM_HEADERS) {
    const match = /^([A-Za-z0-9+/]+=*)(?:-(\d+))?$/.exec(header(name) ?? '')
    if (match === null) continue
    const value = Buffer.from(match[1]!, 'base64').toString('hex')
    return match[2] === undefined
      ? { algorithm, value }
      : { algorithm, value, compositeParts: Number(match[2]) }
  }
  return undefined
}
