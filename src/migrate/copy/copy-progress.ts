import type { UploadedPart } from '../../core/provider.ts'
import type { ManifestRow } from '../manifest.ts'

/**
 * What a copy leaves in its row before it has an effect, so that a process that goes on after a kill knows its own work:
 * without it a copy that was never recorded would look like somebody else's object.
 */
export interface KnownWork {
  /** Checksums of what may have been put at the destination, the latest last, as `checksumText` writes them. */
  readonly puts?: readonly string[]
  /** A body that was streamed, of which no checksum was known before: its size, and the store's time before it was sent. */
  readonly streamed?: { readonly size: number; readonly since: number }
  readonly upload?: BegunUpload
}

/** An upload in parts that can go on. */
export interface BegunUpload {
  /** A secret: whoever has it may add to the upload. */
  readonly token: string
  /** Of the source: its parts are of this version. */
  readonly sourceEtag: string
  readonly size: number
  readonly parts: readonly UploadedPart[]
}

/** A row is tried a few times at most; each may have put another version of a source that keeps changing. */
const MOST_PUTS = 4

export function knownWork(row: ManifestRow): KnownWork {
  if (row.progress === undefined) return {}
  try {
    return JSON.parse(row.progress) as KnownWork
  } catch {
    // Knowing nothing refuses to overwrite, which is safe.
    return {}
  }
}

export function withPut(work: KnownWork, checksum: string): KnownWork {
  const others = (work.puts ?? []).filter(known => known !== checksum)
  return { ...work, puts: [...others, checksum].slice(-MOST_PUTS) }
}
