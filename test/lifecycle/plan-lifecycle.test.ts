import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { bucketLifecycle } from '../../src/adapters/s3/index.ts'
import {
  applyLifecycle,
  type BucketLifecycle,
  type LifecyclePolicy,
  lifecycleRules,
  planLifecycle,
} from '../../src/lifecycle/index.ts'
import { type LifecycleServer, lifecycleServer } from '../support/lifecycle-server.ts'

const POLICY: LifecyclePolicy = {
  tiers: [
    { prefix: 'photos/', afterDays: 30, storageClass: 'STANDARD_IA' },
    { prefix: 'photos/', afterDays: 180, storageClass: 'DEEP_ARCHIVE' },
  ],
  expire: [{ prefix: 'staging & more/', afterDays: 7 }],
  abortUnfinishedAfterDays: 3,
  noncurrent: { expireAfterDays: 30, keepNewest: 2 },
  removeExpiredDeleteMarkers: true,
}
const FOREIGN =
  '<Rule><ID>theirs</ID><Filter><And><Prefix>logs/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status><Expiration><Days>90</Days></Expiration></Rule>'

let server: LifecycleServer
let lifecycle: BucketLifecycle
let waited: number[]
const sleep = async (ms: number) => void waited.push(ms)

beforeEach(async () => {
  waited = []
  server = await lifecycleServer()
  lifecycle = bucketLifecycle(server.options)
})
afterEach(async () => {
  await lifecycle.close()
  await server.close()
})

async function applied(policy: LifecyclePolicy) {
  return applyLifecycle(lifecycle, await planLifecycle(lifecycle, policy), { sleep })
}

describe('planLifecycle and applyLifecycle', () => {
  it('write all rules of a policy, which AWS takes, and find them unchanged after that', async () => {
    const plan = await planLifecycle(lifecycle, POLICY)
    expect(plan).toMatchObject({ bucket: 'standin', changed: [], removed: [], foreign: [], unchanged: false })
    expect(plan.added).toEqual(lifecycleRules(POLICY))
    const { rules } = await applyLifecycle(lifecycle, plan, { sleep })
    expect(rules).toHaveLength(5)
    const again = await planLifecycle(lifecycle, POLICY)
    expect([again.unchanged, again.kept.length, again.added]).toEqual([true, 5, []])
    await applyLifecycle(lifecycle, again, { sleep })
    expect([server.written.length, waited]).toEqual([1, []])
  })

  it('show what was changed and removed', async () => {
    await applied(POLICY)
    const plan = await planLifecycle(lifecycle, {
      ...POLICY,
      expire: [{ prefix: 'staging & more/', afterDays: 9 }],
      abortUnfinishedAfterDays: undefined as never,
    })
    expect(plan.changed).toMatchObject([
      { before: { Expiration: { Days: 7 } }, after: { Expiration: { Days: 9 } } },
    ])
    expect(plan.removed).toMatchObject([{ ID: 'stowage-abort-unfinished' }])
    expect(plan.kept).toHaveLength(3)
  })

  it('leave rules of others as they are, and the setting of the bucket', async () => {
    server.rules = [FOREIGN]
    server.minimumSize = 'varies_by_storage_class'
    const plan = await planLifecycle(lifecycle, POLICY)
    expect(plan.foreign).toMatchObject([{ ID: 'theirs' }])
    expect(plan.warnings).toMatchObject([{ kind: 'archive' }, { kind: 'foreign-rule' }])
    await applyLifecycle(lifecycle, plan, { sleep })
    expect(server.rules[0]).toMatch(/<ID>theirs<\/ID>.*<Key>k<\/Key>/)
    expect(server.minimumSize).toBe('varies_by_storage_class')
    await applied({})
    expect(server.rules.map(rule => /<ID>(.*)<\/ID>/.exec(rule)![1])).toEqual(['theirs'])
  })

  it('remove the whole document where no rule is left', async () => {
    await applied(POLICY)
    expect(await applied({})).toMatchObject({ rules: [] })
    expect(server.rules).toEqual([])
  })

  it('write nothing where the rules have changed since the plan', async () => {
    const plan = await planLifecycle(lifecycle, POLICY)
    server.rules = [FOREIGN]
    await expect(applyLifecycle(lifecycle, plan, { sleep })).rejects.toMatchObject({ code: 'conflict' })
    expect(server.written).toEqual([])
  })

  it('look again where the old rules are still shown', async () => {
    server.lateReads = 3
    expect((await applied(POLICY)).rules).toHaveLength(5)
    expect(waited).toEqual([1000, 1000, 1000])
  })

  it('fail where the server takes the rules and does not keep them', async () => {
    server.forgetful = true
    await expect(applied(POLICY)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/has others now: stowage-tier-photos\/, /),
    })
  })

  it('say which rule the server refuses, in its words', async () => {
    const rule = { ...lifecycleRules(POLICY)[0]!, Transitions: [{ Days: 3, StorageClass: 'STANDARD_IA' }] }
    await expect(lifecycle.write({ rules: [rule] })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/must be greater than or equal to 30/),
    })
  })

  it('refuse more rules than a bucket takes', async () => {
    const expire = Array.from({ length: 1001 }, (_, at) => ({ prefix: `p${at}/`, afterDays: 1 }))
    await expect(planLifecycle(lifecycle, { expire })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/1001 rules .* S3 takes 1000/),
    })
  })
})

describe('warnings', () => {
  const none: BucketLifecycle = {
    bucket: 'b',
    read: async () => ({ rules: [] }),
    write: async () => {},
    close: async () => {},
  }
  const at = Date.UTC(2026, 0, 31)
  const warn = async (policy: LifecyclePolicy, options = {}) =>
    (await planLifecycle(none, policy, { now: () => at, ...options })).warnings

  it('tell of a bucket that expires as a whole', async () => {
    expect(await warn({ expire: [{ prefix: '', afterDays: 30 }] })).toMatchObject([
      { kind: 'whole-bucket', message: 'every object is deleted after 30 days' },
    ])
  })

  it('count what is old enough to go at once', async () => {
    const files = memory({ now: () => at - 8 * 86_400_000 })
    await files.upload('tmp/a', '123')
    await files.upload('tmpx', '123')
    expect(await warn({ expire: [{ prefix: 'tmp/', afterDays: 7 }] }, { files })).toMatchObject([
      { kind: 'expires-now', objects: 1, bytes: 3, prefix: 'tmp/' },
    ])
    expect(await warn({ expire: [{ prefix: 'tmp/', afterDays: 9 }] }, { files })).toEqual([])
  })

  it('tell of files that have records, by their keys or by the marker of their root', async () => {
    const files = memory()
    await files.upload('acme/.stowage/record-set.json', '{}')
    const expire = [{ prefix: 'acme/', afterDays: 7 }]
    expect(await warn({ expire }, { files })).toMatchObject([
      {
        kind: 'record-set',
        message: expect.stringMatching(/the record set of 'acme\/' lies below 'acme\/'/),
      },
    ])
    const liveKeys = (async function* () {
      yield* ['acme/a', 'acme/b', 'other/a']
    })()
    expect(await warn({ expire }, { liveKeys })).toMatchObject([{ kind: 'record-set', objects: 2 }])
  })

  it('take staging for what it is, and nothing else that records keep', async () => {
    const files = memory({ now: () => 0 })
    await files.upload('acme/.stowage/staging/1', 'never finalized')
    const expire = (prefix: string) => warn({ expire: [{ prefix, afterDays: 7 }] }, { files })
    expect(await expire('acme/.stowage/staging/')).toEqual([])
    expect(await expire('acme/.stowage/')).toMatchObject([{ kind: 'record-set' }])
    expect(await expire('acme/.stowage/trash/')).toMatchObject([{ kind: 'record-set' }])
  })
})
