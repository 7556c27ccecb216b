import type { ListEntry } from '../../src/core/results.ts'
import type { LifecyclePolicy } from '../../src/lifecycle/index.ts'

/** The bucket of docs/lifecycle.md: a photo application, three years old, all in STANDARD. */
const GROUPS = [
  { prefix: 'originals/', objects: 20_000, size: 4_000_000, oldestDays: 1080 },
  { prefix: 'thumbnails/', objects: 60_000, size: 30_000, oldestDays: 1080 },
  { prefix: 'exports/', objects: 500, size: 50_000_000, oldestDays: 360 },
  { prefix: 'staging/', objects: 2_000, size: 2_000_000, oldestDays: 200 },
]

export const SAMPLE_NOW = Date.UTC(2026, 0, 1)

/** Its policy, as the guide has it. */
export const SAMPLE_POLICY: LifecyclePolicy = {
  tiers: [
    { prefix: 'originals/', afterDays: 90, storageClass: 'STANDARD_IA' },
    { prefix: 'exports/', afterDays: 30, storageClass: 'GLACIER_IR' },
  ],
  expire: [{ prefix: 'staging/', afterDays: 7 }],
  abortUnfinishedAfterDays: 3,
}

/** Evenly spread over the days. */
export function* sampleBucket(): Generator<ListEntry> {
  for (const { prefix, objects, size, oldestDays } of GROUPS)
    for (let at = 0; at < objects; at++)
      yield {
        kind: 'object',
        key: `${prefix}${String(at).padStart(6, '0')}`,
        size,
        lastModified: new Date(SAMPLE_NOW - Math.floor((at / objects) * oldestDays) * 86_400_000),
      }
}
