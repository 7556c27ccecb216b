import type { ObjectAttributes } from '../../core/options.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import { sentAttributes } from '../copy/attributes-text.ts'
import type { Pace } from '../copy/pace.ts'
import type { ManifestRow } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { MigrationSettings } from '../plan/checked-settings.ts'
import { attributesProblem } from './compare-attributes.ts'
import { compareChecksum } from './compare-checksum.ts'
import {
  differ,
  type Finding,
  isObjectMissing,
  MATCH,
  MISSING_DESTINATION,
  MISSING_SOURCE,
  REPLACED,
} from './finding.ts'
import { readBack } from './read-back.ts'

export interface CheckOptions {
  readonly level: VerifyLevel
  readonly pace: Pace
  readonly signal: AbortSignal | undefined
}

/**
 * Looks at one object that was copied. At the destination this costs one `info`; at level `content` the object is read
 * on both sides besides, and where the manifest does not say what was sent, or the checksum that the destination tells was not
 * taken while copying, the source is asked for its `info`, too.
 */
export async function checkObject(
  settings: MigrationSettings,
  row: ManifestRow,
  options: CheckOptions,
): Promise<Finding> {
  const { from, to } = settings
  const { level, pace, signal } = options
  const infoAt = async (provider: StorageProvider, key: string): Promise<ObjectInfo | undefined> => {
    await pace.request(signal)
    return provider.info(key, { signal }).catch(error => {
      if (isObjectMissing(error)) return undefined
      throw error
    })
  }
  const there = await infoAt(to, row.destinationKey)
  if (there === undefined) return MISSING_DESTINATION
  if (isReplaced(row, there)) return REPLACED
  if (settings.transform === undefined && there.size !== row.size)
    return differ(`${row.size} bytes were to be copied, ${there.size} are there`)
  let source: ObjectInfo | undefined
  const askSource = async () => {
    source ??= await infoAt(from, row.sourceKey)
    return source
  }
  let sent: ObjectAttributes
  if (row.attributes === undefined) {
    const info = await askSource()
    if (info === undefined) return MISSING_SOURCE
    sent = sentAttributes(info, settings, to.capabilities).attributes
  } else {
    sent = JSON.parse(row.attributes)
  }
  const problem = attributesProblem(sent, there)
  if (problem !== undefined) return differ(problem)
  if (level === 'attributes') return MATCH
  const transformed = settings.transform !== undefined
  const proof = await compareChecksum({
    row,
    there,
    askSource: transformed ? undefined : async () => (await askSource())?.checksum,
    refusesWrongBytes: to.capabilities.checksums.includes('sha256'),
  })
  // What was read is worth more than what a store tells, but for a contradiction.
  if (level === 'checksum' || proof.status === 'differ') return proof
  return readBack(row, {
    from,
    to,
    transformed,
    signal,
    request: () => pace.request(signal),
    bytes: count => pace.bytes(count, signal),
  })
}

/** Whether the destination has something else in the object's place than was written, as far as size and etag say. */
export function isReplaced(row: ManifestRow, { size, etag }: Pick<ObjectInfo, 'size' | 'etag'>): boolean {
  const { destinationSize, destinationEtag } = row
  return (
    (destinationSize !== undefined && size !== destinationSize) ||
    (destinationEtag !== undefined && etag !== undefined && etag !== destinationEtag)
  )
}
