import { createHash } from 'node:crypto'
import { StorageError } from '../../core/errors.ts'
import type { UploadedPart } from '../../core/provider.ts'

/**
 * A checksum as the manifest keeps it. `whole`: SHA-256 of the bytes. `parts`: of an object that was copied in parts,
 * in whatever order: SHA-256 of the parts' SHA-256, 32 bytes each, joined in the order of the parts, of which all but the last are
 * `partBytes` long.
 */
export type RecordedChecksum =
  | { readonly kind: 'whole'; readonly sha256: string }
  | { readonly kind: 'parts'; readonly partBytes: number; readonly sha256: string }

/** `sha256:<hex>`, or `sha256-parts:<partBytes>:<hex>`. */
export function checksumText(checksum: RecordedChecksum): string {
  return checksum.kind === 'whole'
    ? `sha256:${checksum.sha256}`
    : `sha256-parts:${checksum.partBytes}:${checksum.sha256}`
}

/** @throws `internal` for a text that `checksumText` does not write */
export function parseChecksumText(text: string): RecordedChecksum {
  const whole = /^sha256:([0-9a-f]{64})$/.exec(text)
  if (whole !== null) return { kind: 'whole', sha256: whole[1]! }
  const parts = /^sha256-parts:([1-9]\d{0,15}):([0-9a-f]{64})$/.exec(text)
  if (parts === null)
    throw new StorageError('internal', 'migrate: the manifest holds a checksum of an unknown kind')
  return { kind: 'parts', partBytes: Number(parts[1]), sha256: parts[2]! }
}

/** Takes bytes as they come, in chunks of any length; `text` ends it. */
export interface ChecksumHasher {
  update(bytes: Uint8Array): void
  text(): string
}

/** A checksum of the same kind as `like` over bytes that are read again. Default: of the whole. */
export function checksumHasher(like: RecordedChecksum = { kind: 'whole', sha256: '' }): ChecksumHasher {
  if (like.kind === 'whole') {
    const hash = createHash('sha256')
    return {
      update: bytes => void hash.update(bytes),
      text: () => checksumText({ kind: 'whole', sha256: hash.digest('hex') }),
    }
  }
  const { partBytes } = like
  const outer = createHash('sha256')
  let part = createHash('sha256')
  let room = partBytes
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + room)
        part.update(piece)
        at += piece.length
        room -= piece.length
        if (room > 0) continue
        outer.update(part.digest())
        part = createHash('sha256')
        room = partBytes
      }
    },
    text() {
      if (room < partBytes) outer.update(part.digest())
      return checksumText({ kind: 'parts', partBytes, sha256: outer.digest('hex') })
    },
  }
}

/** Of an object that was uploaded in parts; undefined where those that are known are not the whole, or are cut at odd places. */
export function uploadChecksum(known: readonly UploadedPart[], size: number): string | undefined {
  const parts = [...known].sort((one, other) => one.start - other.start)
  const partBytes = parts.length === 0 ? 0 : parts[0]!.end
  let at = 0
  for (const { start, end } of parts) {
    if (start !== at || (end !== size && end - start !== partBytes)) return undefined
    at = end
  }
  if (at !== size || size === 0) return undefined
  // One part is the whole.
  if (parts.length === 1) return checksumText({ kind: 'whole', sha256: parts[0]!.sha256 })
  const outer = createHash('sha256')
  for (const { sha256 } of parts) outer.update(sha256, 'hex')
  return checksumText({ kind: 'parts', partBytes, sha256: outer.digest('hex') })
}
