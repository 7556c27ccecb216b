import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bucketLifecycle, s3 } from '../../src/adapters/s3/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import {
  type BucketLifecycle,
  checkLifecycle,
  type LifecycleFinding,
  type LifecyclePolicy,
  lifecycleRules,
} from '../../src/lifecycle/index.ts'
import { type LifecycleServer, lifecycleServer } from '../support/lifecycle-server.ts'
import { refused } from '../support/refused.ts'

const NOW = Date.UTC(2026, 5, 1)
const POLICY: LifecyclePolicy = {
  tiers: [
    { prefix: 'photos/', afterDays: 30, storageClass: 'STANDARD_IA' },
    { prefix: 'photos/', afterDays: 90, storageClass: 'GLACIER_IR' },
  ],
  expire: [{ prefix: 'tmp/', afterDays: 7 }],
  abortUnfinishedAfterDays: 3,
}

let server: LifecycleServer
let lifecycle: BucketLifecycle
let files: StorageProvider

beforeEach(async () => {
  server = await lifecycleServer()
  lifecycle = bucketLifecycle(server.options)
  files = s3(server.options)
})
afterEach(async () => {
  await Promise.all([lifecycle.close(), files.close()])
  await server.close()
})

const daysAgo = (days: number) => new Date(NOW - days * 86_400_000)
const check = (options = {}) => checkLifecycle(lifecycle, files, POLICY, { now: () => NOW, ...options })

describe('checkLifecycle', () => {
  it('finds nothing where the rules are there and have done their work', async () => {
    await lifecycle.write({ rules: lifecycleRules(POLICY) })
    const size = 200_000
    server.objects = [
      { key: 'photos/new', size, lastModified: daysAgo(29) },
      { key: 'photos/due', size, lastModified: daysAgo(32) },
      { key: 'photos/old', size, lastModified: daysAgo(50), storageClass: 'STANDARD_IA' },
      { key: 'photos/older', size, lastModified: daysAgo(400), storageClass: 'GLACIER_IR' },
      { key: 'photos/colder', size, lastModified: daysAgo(400), storageClass: 'DEEP_ARCHIVE' },
      { key: 'photos/small', size: 100, lastModified: daysAgo(400) },
      { key: 'tmp/young', size, lastModified: daysAgo(6) },
      { key: 'tmp/due', size, lastModified: daysAgo(9) },
      { key: 'else/old', size, lastModified: daysAgo(4000) },
    ]
    server.uploads = [{ key: 'photos/up', uploadId: 'u', startedAt: daysAgo(5) }]
    expect(await check()).toMatchObject({ clean: true, findings: [], objects: 8, bucket: 'standin' })
  })

  it('finds what should be gone, moved or ended', async () => {
    await lifecycle.write({ rules: lifecycleRules(POLICY) })
    const size = 200_000
    server.objects = [
      { key: 'photos/a', size, lastModified: daysAgo(40) },
      { key: 'photos/b', size, lastModified: daysAgo(400), storageClass: 'STANDARD_IA' },
      { key: 'tmp/c', size, lastModified: daysAgo(11) },
    ]
    server.uploads = [{ key: 'photos/up', uploadId: 'u', startedAt: daysAgo(7) }]
    const told: LifecycleFinding[] = []
    const report = await check({ onFinding: (finding: LifecycleFinding) => told.push(finding), limit: 2 })
    expect(told).toEqual([
      {
        kind: 'not-moved',
        key: 'photos/a',
        size,
        ageDays: 40,
        storageClass: 'STANDARD',
        expected: 'STANDARD_IA',
      },
      {
        kind: 'not-moved',
        key: 'photos/b',
        size,
        ageDays: 400,
        storageClass: 'STANDARD_IA',
        expected: 'GLACIER_IR',
      },
      { kind: 'not-expired', key: 'tmp/c', size, ageDays: 11, afterDays: 7 },
      { kind: 'not-aborted', key: 'photos/up', uploadId: 'u', ageDays: 7 },
    ])
    expect(report).toMatchObject({ clean: false, findings: told.slice(0, 2), counts: { 'not-moved': 2 } })
  })

  it('is as patient as it is told', async () => {
    await lifecycle.write({ rules: lifecycleRules(POLICY) })
    server.objects = [{ key: 'tmp/c', size: 1, lastModified: daysAgo(9) }]
    expect((await check({ graceDays: 2 })).counts).toMatchObject({ 'not-expired': 1 })
    expect((await check({ graceDays: 3 })).clean).toBe(true)
  })

  it('finds rules that are missing, that somebody has changed, and that are left', async () => {
    const [tiers, expiry] = lifecycleRules(POLICY)
    await lifecycle.write({
      rules: [
        tiers!,
        { ...expiry!, Status: 'Disabled' },
        { ...expiry!, ID: 'stowage-expire-old/', Filter: { Prefix: 'old/' } },
        { ...expiry!, ID: 'theirs', Filter: { Prefix: 'theirs/' } },
      ],
    })
    const { findings, foreign } = await check()
    expect(findings).toMatchObject([
      { kind: 'rule-missing', rule: { ID: 'stowage-abort-unfinished' } },
      { kind: 'rule-differs', rule: { ID: 'stowage-expire-tmp/' }, present: { Status: 'Disabled' } },
      { kind: 'rule-left', present: { ID: 'stowage-expire-old/' } },
    ])
    expect(foreign).toMatchObject([{ ID: 'theirs' }])
  })

  it('fails where it could not see everything', async () => {
    await server.close()
    await expect(check()).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('refuses options that it does not know', async () => {
    await expect(check({ grace: 1 })).rejects.toThrow(refused(/unknown option 'grace'/))
    await expect(check({ graceDays: -1 })).rejects.toThrow(
      refused(/graceDays must be a number of at least 0/),
    )
  })
})
