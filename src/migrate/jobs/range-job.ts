import { createHash } from 'node:crypto'
import type { Manifest, ManifestRow, RowRange } from '../manifest.ts'
import type { ExistingObjects, VerifyLevel } from '../migrate-options.ts'

/** What stands in a job: which rows of the manifest. What becomes of them is written there, and nowhere else. */
export interface RangeJob extends RowRange {
  readonly kind: 'copy' | 'verify'
  /** Of the migration. */
  readonly name: string
  readonly level?: VerifyLevel
  /** Of the run that wants it copied. Default: the worker's own. */
  readonly existing?: ExistingObjects
  readonly objects: number
}

/** One name for the same rows and work, so that they are queued and claimed once. */
export function rangeId({ kind, name, after, through, level, existing }: RangeJob): string {
  const text = JSON.stringify([kind, name, after, through, level, existing])
  return `${kind}-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
}

export interface RangeSize {
  readonly objects: number
  readonly bytes: number
}

/** Cuts rows into ranges that meet: what is added between two keys later belongs to one of them. One row is held at a time. */
export async function* splitRanges(
  manifest: Manifest,
  kind: RangeJob['kind'],
  most: RangeSize,
): AsyncGenerator<RowRange & RangeSize> {
  const states: ManifestRow['state'][] = kind === 'copy' ? ['planned', 'failed'] : ['copied']
  let after: string | undefined
  let last: string | undefined
  let [objects, bytes] = [0, 0]
  for await (const { sourceKey, size } of manifest.rows({ states })) {
    objects++
    bytes += size
    last = sourceKey
    if (objects < most.objects && bytes < most.bytes) continue
    yield { ...(after === undefined ? {} : { after }), through: sourceKey, objects, bytes }
    after = sourceKey
    ;[objects, bytes] = [0, 0]
  }
  if (objects > 0 && last !== undefined)
    yield { ...(after === undefined ? {} : { after }), through: last, objects, bytes }
}
