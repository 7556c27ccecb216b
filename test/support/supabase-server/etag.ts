import { createHash } from 'node:crypto'

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest()

/** Hex MD5 in quotes. */
export const plainEtag = (bytes: Uint8Array): string => `"${md5(bytes).toString('hex')}"`

/** MD5 of the parts' MD5s and their number, as S3 has it. */
export const partsEtag = (parts: readonly Uint8Array[]): string =>
  `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}"`

export function splitParts(bytes: Buffer, partBytes: number): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length || at === 0; at += partBytes)
    parts.push(bytes.subarray(at, at + partBytes))
  return parts
}

/** The server streams a standard upload to S3 in parts of this size. */
const UPLOAD_PART_BYTES = 16 * 1024 * 1024

/** The ETag of a standard upload: multipart style above 16 MiB on S3, plain on files. */
export function uploadEtag(bytes: Buffer, blobStore: 's3' | 'file'): string {
  if (blobStore === 'file' || bytes.length <= UPLOAD_PART_BYTES) return plainEtag(bytes)
  return partsEtag(splitParts(bytes, UPLOAD_PART_BYTES))
}
