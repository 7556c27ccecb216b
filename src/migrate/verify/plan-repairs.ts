import type { Manifest, RowChange } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'
import type { OnEvent } from '../migration-event.ts'
import { PLANNED } from '../plan/compare-destination.ts'
import { higherLevel } from './check-rows.ts'
import { OTHER_SOURCE_BYTES } from './finding.ts'

export interface Repairs {
  /** Copies that will be made again. */
  readonly objects: number
  /** The highest level that has found one of them: what is put in its place must be looked at so, too. */
  readonly level: VerifyLevel
}

const WRITTEN = 256

/**
 * Plans again the copies that verification has found to differ. They are still ours, so a copy replaces them only as they were left; where
 * another object has taken the place since, the plan that follows sees it, and does with it what `existing` says. What a copy would
 * not mend stays: an object whose bytes at the source are not those that were copied.
 */
export async function planRepairs(manifest: Manifest, onEvent: OnEvent): Promise<Repairs> {
  let objects = 0
  let level: VerifyLevel = 'attributes'
  let changes: RowChange[] = []
  const write = async () => {
    await manifest.write(changes)
    changes = []
  }
  for await (const row of manifest.rows({ states: ['copied'], statuses: ['differ'] })) {
    if (row.errorCode === OTHER_SOURCE_BYTES) continue
    objects++
    if (row.level !== undefined) level = higherLevel(level, row.level)
    changes.push({
      sourceKey: row.sourceKey,
      ...PLANNED,
      ifRevision: row.revision,
    })
    await onEvent({ kind: 'repair', key: row.sourceKey, problem: row.errorMessage ?? row.status })
    if (changes.length >= WRITTEN) await write()
  }
  await write()
  return { objects, level }
}
