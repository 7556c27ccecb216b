import { createHash } from 'node:crypto'
import { type Checksum, hasher } from './checksum.ts'
import type { Download } from './download.ts'
import type { ObjectInfo } from './results.ts'

/** What was meant to be stored: its size, and sums of its bytes by algorithm. */
export interface ContentIdentity {
  readonly size: number
  readonly sha256: string
}

/**
 * Whether a stored object holds these bytes: by its checksum where the store has one of the whole content, else by
 * reading it. An ETag is never asked: it is an MD5 on some stores and for some uploads only.
 */
export async function hasSameContent(
  content: ContentIdentity,
  stored: ObjectInfo,
  open: () => Promise<Download>,
): Promise<boolean> {
  if (stored.size !== content.size) return false
  if (isWholeSha256(stored.checksum)) return stored.checksum.value === content.sha256
  const hash = createHash('sha256')
  for await (const chunk of await open()) hash.update(chunk)
  return hash.digest('hex') === content.sha256
}

function isWholeSha256(checksum: Checksum | undefined): checksum is Checksum {
  return checksum?.algorithm === 'sha256' && checksum.compositeParts === undefined
}

/** Counts and hashes chunks as they pass, to know afterwards what was sent. */
export function identityOf(): { watch(chunk: Uint8Array): void; result(): ContentIdentity } {
  const hash = hasher('sha256')
  let size = 0
  return {
    watch(chunk) {
      size += chunk.length
      hash.update(chunk)
    },
    result: () => ({ size, sha256: hash.digest() }),
  }
}
