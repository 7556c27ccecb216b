/** One unfinished resumable upload and the parts the store has of it. */
import { partsEtag, splitParts } from './etag.ts'

export interface TusUpload {
  id: string
  bucket: string
  key: string
  version: string
  /** Undefined until the client tells it. */
  length: number | undefined
  metadata: [key: string, value: string | undefined][]
  createdAt: number
  chunks: Buffer[]
  offset: number
}

const PART_BYTES = 50 * 1024 * 1024
const SMALLEST_PART_BYTES = 5 * 1024 * 1024

export function metadataValue(upload: Pick<TusUpload, 'metadata'>, key: string): string | undefined {
  return upload.metadata.find(([name]) => name === key)?.[1]
}

/** `key base64, key base64`, where the value may be absent. */
export function parseTusMetadata(header: string): [string, string | undefined][] {
  return header.split(',').map(pair => {
    const [key = '', value] = pair.trim().split(' ')
    return [key, value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8')]
  })
}

export function formatTusMetadata(metadata: TusUpload['metadata']): string {
  return metadata
    .map(([key, value]) => (value === undefined ? key : `${key} ${Buffer.from(value).toString('base64')}`))
    .join(',')
}

/** Each PATCH ends a part, unless what it left is too small for S3, which waits for the next PATCH. */
export function tusEtag(chunks: readonly Buffer[]): string {
  const parts: Buffer[] = []
  let left: Buffer = Buffer.alloc(0)
  for (const chunk of chunks) {
    for (const part of splitParts(Buffer.concat([left, chunk]), PART_BYTES)) {
      left = part
      if (part.length < SMALLEST_PART_BYTES) continue
      parts.push(part)
      left = Buffer.alloc(0)
    }
  }
  if (left.length > 0 || parts.length === 0) parts.push(left)
  return partsEtag(parts)
}
