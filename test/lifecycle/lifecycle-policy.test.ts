import { describe, expect, it } from 'vitest'
import { type LifecyclePolicy, lifecyclePolicy, lifecycleRules } from '../../src/lifecycle/index.ts'
import { refused } from '../support/refused.ts'

const tier = (afterDays: number, storageClass: string, prefix = 'a/', more = {}) =>
  ({ prefix, afterDays, storageClass, ...more }) as NonNullable<LifecyclePolicy['tiers']>[number]

describe('a policy', () => {
  it('becomes rules of S3 under ids of ours', () => {
    const rules = lifecycleRules({
      tiers: [
        tier(180, 'GLACIER_IR', 'photos/'),
        tier(30, 'STANDARD_IA', 'photos/'),
        tier(365, 'DEEP_ARCHIVE', ''),
      ],
      expire: [{ prefix: 'staging/', afterDays: 7 }],
      abortUnfinishedAfterDays: 3,
      noncurrent: { expireAfterDays: 30, keepNewest: 2 },
      removeExpiredDeleteMarkers: true,
    })
    expect(rules).toEqual([
      {
        ID: 'stowage-tier-photos/',
        Status: 'Enabled',
        Filter: { And: { Prefix: 'photos/', ObjectSizeGreaterThan: 131_071 } },
        Transitions: [
          { Days: 30, StorageClass: 'STANDARD_IA' },
          { Days: 180, StorageClass: 'GLACIER_IR' },
        ],
      },
      {
        ID: 'stowage-tier-(all)',
        Status: 'Enabled',
        Filter: { ObjectSizeGreaterThan: 131_071 },
        Transitions: [{ Days: 365, StorageClass: 'DEEP_ARCHIVE' }],
      },
      {
        ID: 'stowage-expire-staging/',
        Status: 'Enabled',
        Filter: { Prefix: 'staging/' },
        Expiration: { Days: 7 },
      },
      {
        ID: 'stowage-abort-unfinished',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
      },
      {
        ID: 'stowage-noncurrent',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        NoncurrentVersionExpiration: { NoncurrentDays: 30, NewerNoncurrentVersions: 2 },
      },
      {
        ID: 'stowage-delete-markers',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        Expiration: { ExpiredObjectDeleteMarker: true },
      },
    ])
  })

  it('may be empty', () => {
    expect(lifecycleRules({})).toEqual([])
  })

  it('gives each rule an id of its own that S3 can hold, whatever the prefix', () => {
    const prefixes = ['a b/', 'ü/', `${'long/'.repeat(60)}`, 'all', '(all']
    const ids = lifecycleRules({
      expire: prefixes.map(prefix => ({ prefix, afterDays: 1 })),
      tiers: [tier(0, 'GLACIER', 'x/', { minSizeBytes: 0 }), tier(90, 'DEEP_ARCHIVE', 'x/')],
    }).map(({ ID }) => ID!)
    expect(new Set(ids).size).toBe(7)
    for (const id of ids) expect(id).toMatch(/^stowage-[\w()./~-]{1,200}$/)
  })

  it.each<[string, unknown, RegExp]>([
    ['no object', null, /options must be an object/],
    ['an unknown field', { expires: [] }, /unknown option 'expires'; known are tiers, expire/],
    [
      'an unknown field of a tier',
      { tiers: [{ ...tier(30, 'STANDARD_IA'), days: 3 }] },
      /tiers\[0\]: unknown option 'days'/,
    ],
    [
      'no prefix',
      { expire: [{ afterDays: 3 }] },
      /expire\[0\].prefix must be a string; '' means the whole bucket/,
    ],
    [
      'a slash in front',
      { expire: [{ prefix: '/tmp', afterDays: 3 }] },
      /begins with a slash, as no key does; write 'tmp'/,
    ],
    ['a pattern', { expire: [{ prefix: 'tmp/*', afterDays: 3 }] }, /is no pattern/],
    [
      'no days',
      { expire: [{ prefix: 'tmp/', afterDays: 0 }] },
      /afterDays must be a whole number of at least 1/,
    ],
    ['half a day', { abortUnfinishedAfterDays: 0.5 }, /abortUnfinishedAfterDays must be a whole number/],
    ['an unknown class', { tiers: [tier(30, 'COLD')] }, /storageClass must be one of STANDARD_IA/],
    [
      'infrequent access before 30 days',
      { tiers: [tier(7, 'STANDARD_IA')] },
      /before 30 days; set afterDays to 30/,
    ],
    ['one zone before 30 days', { tiers: [tier(29, 'ONEZONE_IA')] }, /before 30 days/],
    [
      'small objects in infrequent access',
      { tiers: [tier(30, 'STANDARD_IA', 'a/', { minSizeBytes: 1000 })] },
      /billed as 131,072 bytes at least/,
    ],
    [
      'a class twice',
      { tiers: [tier(30, 'STANDARD_IA'), tier(60, 'STANDARD_IA')] },
      /tiers\[1\]: 'a\/' is moved to STANDARD_IA by tiers\[0\] already/,
    ],
    [
      'two moves on one day',
      { tiers: [tier(30, 'STANDARD_IA'), tier(30, 'GLACIER')] },
      /tiers\[1\]: 'a\/' is moved after 30 days by tiers\[0\], too/,
    ],
    [
      'a move back',
      { tiers: [tier(30, 'GLACIER_IR'), tier(90, 'STANDARD_IA')] },
      /S3 moves nothing from GLACIER_IR \(after 30 days\) to STANDARD_IA; change their order/,
    ],
    [
      'one zone to instant retrieval',
      { tiers: [tier(30, 'ONEZONE_IA'), tier(90, 'GLACIER_IR')] },
      /S3 moves nothing from ONEZONE_IA/,
    ],
    [
      'less than 30 days in infrequent access',
      { tiers: [tier(30, 'STANDARD_IA'), tier(45, 'GLACIER')] },
      /must stay there for 30 days; set afterDays to 60/,
    ],
    [
      'the same of a prefix within another',
      { tiers: [tier(30, 'STANDARD_IA', ''), tier(45, 'GLACIER', 'logs/')] },
      /set afterDays to 60 or more/,
    ],
    [
      'a move after the end',
      { tiers: [tier(30, 'STANDARD_IA')], expire: [{ prefix: 'a/', afterDays: 30 }] },
      /'a\/' expires after 30 days, so nothing is ever moved after 30 days/,
    ],
    [
      'an end twice',
      {
        expire: [
          { prefix: 'a/', afterDays: 3 },
          { prefix: 'a/', afterDays: 5 },
        ],
      },
      /expire\[1\]: 'a\/' is named twice/,
    ],
    [
      'a later end within an earlier one',
      {
        expire: [
          { prefix: 'a/', afterDays: 3 },
          { prefix: 'a/b/', afterDays: 5 },
        ],
      },
      /'a\/b\/' lies within 'a\/', which expires after 3 days: it would never live for 5 days/,
    ],
    [
      'versions that are kept by the hundreds',
      { noncurrent: { expireAfterDays: 1, keepNewest: 101 } },
      /at least 1 and at most 100/,
    ],
    [
      'delete markers twice',
      { expire: [{ prefix: '', afterDays: 9 }], removeExpiredDeleteMarkers: true },
      /leave removeExpiredDeleteMarkers out/,
    ],
  ])('is refused with %s', (_, policy, message) => {
    expect(() => lifecyclePolicy(policy as LifecyclePolicy)).toThrow(refused(message))
  })

  it.each<[string, LifecyclePolicy]>([
    ['archives at once', { tiers: [tier(0, 'GLACIER_IR')] }],
    ['small objects in an archive', { tiers: [tier(0, 'GLACIER', 'a/', { minSizeBytes: 0 })] }],
    [
      'an earlier end within a later one',
      {
        expire: [
          { prefix: 'a/', afterDays: 9 },
          { prefix: 'a/b/', afterDays: 3 },
        ],
      },
    ],
    [
      'an end of some of what moves',
      { tiers: [tier(30, 'STANDARD_IA', '')], expire: [{ prefix: 'tmp/', afterDays: 1 }] },
    ],
    [
      'the whole waterfall',
      {
        tiers: [
          tier(30, 'STANDARD_IA'),
          tier(60, 'GLACIER_IR'),
          tier(90, 'GLACIER'),
          tier(180, 'DEEP_ARCHIVE'),
        ],
      },
    ],
  ])('is taken with %s', (_, policy) => {
    expect(lifecyclePolicy(policy)).toBe(policy)
  })
})
