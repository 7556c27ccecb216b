/**
 * What proves an object's bytes without reading them. In this order:
 *
 * 1. The destination tells a checksum of the kind that was taken while copying: they are the same or not.
 * 2. Both stores tell a checksum of one kind, and nothing was transformed: they are the same or not.
 * 3. The destination refuses uploads whose SHA-256 is not the one sent with them (`capabilities.checksums`), the upload was
 *    answered with an etag, and the object has that etag now: then they are the bytes that were hashed while copying.
 *
 * What none of them proves is `unverified`.
 */
import type { Checksum } from '../../core/checksum.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { parseChecksumText, type RecordedChecksum } from '../copy/checksum-text.ts'
import type { ManifestRow } from '../manifest.ts'
import { type Finding, MATCH, otherBytes, unverified } from './finding.ts'

export interface ChecksumEvidence {
  readonly row: ManifestRow
  /** The object at the destination, as it is now. */
  readonly there: ObjectInfo
  /** Asked only where the rest does not say. Undefined under a transform. */
  readonly askSource: (() => Promise<Checksum | undefined>) | undefined
  /** The destination refuses uploads whose SHA-256 is another. */
  readonly refusesWrongBytes: boolean
}

export async function compareChecksum({
  row,
  there,
  askSource,
  refusesWrongBytes,
}: ChecksumEvidence): Promise<Finding> {
  const told = there.checksum
  const recorded = row.destinationChecksum
  if (told !== undefined && recorded !== undefined) {
    const same = sameAsRecorded(told, parseChecksumText(recorded), there.size)
    if (same !== undefined)
      return same
        ? MATCH
        : otherBytes(`the destination's ${told.algorithm} is not the one taken while copying`)
  }
  if (told !== undefined && askSource !== undefined) {
    const source = await askSource()
    if (source?.algorithm === told.algorithm && source.compositeParts === told.compositeParts) {
      if (source.value === told.value) return MATCH
      // Parts of other lengths give other checksums of the same bytes.
      if (told.compositeParts === undefined)
        return otherBytes(`the two sides have not the same ${told.algorithm}`)
    }
  }
  if (recorded === undefined)
    return unverified('no checksum was taken while copying: verify with level content')
  const sameEtag = row.destinationEtag !== undefined && row.destinationEtag === there.etag
  if (refusesWrongBytes && sameEtag) return MATCH
  return unverified('the destination tells no checksum that could be compared: verify with level content')
}

/** Whether what a store tells is what was recorded; undefined where the two are of different kinds. */
export function sameAsRecorded(
  told: Checksum,
  recorded: RecordedChecksum,
  size: number,
): boolean | undefined {
  if (told.algorithm !== 'sha256') return undefined
  if (recorded.kind === 'whole')
    return told.compositeParts === undefined ? told.value === recorded.sha256 : undefined
  return told.compositeParts === Math.ceil(size / recorded.partBytes)
    ? told.value === recorded.sha256
    : undefined
}
