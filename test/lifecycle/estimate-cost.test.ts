import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { ListEntry } from '../../src/core/results.ts'
import {
  AWS_US_EAST_1,
  type EstimateCostOptions,
  estimateCost,
  type LifecyclePolicy,
  priceTable,
} from '../../src/lifecycle/index.ts'
import { refused } from '../support/refused.ts'
import { SAMPLE_NOW, SAMPLE_POLICY, sampleBucket } from './sample-bucket.ts'

const NOW = Date.UTC(2026, 0, 1)
const GB = 2 ** 30

function object(size: number, ageDays: number, storageClass?: string, key = 'a'): ListEntry {
  const lastModified = new Date(NOW - ageDays * 86_400_000)
  return { kind: 'object', key, size, lastModified, ...(storageClass === undefined ? {} : { storageClass }) }
}

const estimate = (list: ListEntry[], options: EstimateCostOptions = {}) =>
  estimateCost(list, { now: () => NOW, ...options })

const toIa: LifecyclePolicy = { tiers: [{ prefix: '', afterDays: 30, storageClass: 'STANDARD_IA' }] }

describe('estimateCost', () => {
  it('adds up storage by class and age', async () => {
    const { before, objects, bytes, ages, prices } = await estimate([
      object(100 * GB, 3),
      object(100 * GB, 100, 'STANDARD'),
      object(100 * GB, 400, 'GLACIER_IR'),
      { kind: 'prefix', prefix: 'folder/' },
    ])
    expect([objects, bytes, prices.region]).toEqual([3, 300 * GB, 'us-east-1'])
    expect(before.monthly).toBeCloseTo(2.3 + 2.3 + 0.4, 6)
    expect(before.classes).toMatchObject([
      { storageClass: 'STANDARD', objects: 2, bytes: 200 * GB },
      { storageClass: 'GLACIER_IR', objects: 1 },
    ])
    expect(ages.map(({ fromDays, untilDays, objects }) => [fromDays, untilDays, objects])).toEqual([
      [0, 30, 1],
      [90, 180, 1],
      [365, undefined, 1],
    ])
  })

  it('bills small objects as large as the class has them, and what an archive keeps beside them', async () => {
    const { before } = await estimate([object(1000, 100, 'STANDARD_IA'), object(1000, 100, 'GLACIER')])
    const [infrequent, archive] = before.classes
    expect(infrequent).toMatchObject({ billedBytes: 131_072, bytes: 1000 })
    expect(infrequent!.storage).toBeCloseTo((131_072 / GB) * 0.0125, 12)
    expect(archive!.billedBytes).toBe(1000 + 40 * 1024)
    expect(archive!.storage).toBeCloseTo(((1000 + 32 * 1024) * 0.0036 + 8 * 1024 * 0.023) / GB, 12)
  })

  it('bills the monitoring of what is large enough to be watched', async () => {
    const { before } = await estimate([
      object(200_000, 1, 'INTELLIGENT_TIERING'),
      object(100, 1, 'INTELLIGENT_TIERING'),
    ])
    expect(before.classes[0]!.monitoring).toBeCloseTo(0.0025 / 1000, 12)
  })

  it('shows what a policy saves and what it costs to get there', async () => {
    const { before, after } = await estimate([object(1000 * GB, 40), object(1000 * GB, 10)], { policy: toIa })
    expect(before.monthly).toBeCloseTo(46, 6)
    expect(after!.monthly).toBeCloseTo(23 + 12.5, 6)
    expect(after).toMatchObject({ moved: { objects: 1 }, expired: { objects: 0 }, earlyRemoval: 0 })
    expect(after!.transitions).toBeCloseTo(0.01 / 1000, 9)
    expect(after!.savedShare).toBeCloseTo(10.5 / 46, 6)
    expect(after!.retrievalOfAll).toBeCloseTo(10, 6)
  })

  it('charges what leaves a class before its minimum duration', async () => {
    const policy: LifecyclePolicy = { expire: [{ prefix: '', afterDays: 10 }] }
    const { after } = await estimate([object(1000 * GB, 10, 'GLACIER_IR')], { policy })
    // 80 days are missing to 90.
    expect(after!.earlyRemoval).toBeCloseTo((4 * 80) / 30, 6)
    expect(after).toMatchObject({ monthly: 0, expired: { objects: 1 } })
  })

  it('leaves small objects where they are: moving them would cost more', async () => {
    const small = Array.from({ length: 1000 }, () => object(10_000, 40))
    const { before, after } = await estimate(small, { policy: toIa })
    expect([after!.monthly, after!.moved.objects, after!.savedMonthly]).toEqual([before.monthly, 0, 0])
    expect(after).not.toHaveProperty('paidOffAfterMonths')
  })

  it('says so where a policy costs more than it saves', async () => {
    const many = Array.from({ length: 1000 }, () => object(3000, 10))
    const policy: LifecyclePolicy = {
      tiers: [{ prefix: '', afterDays: 0, storageClass: 'GLACIER', minSizeBytes: 0 }],
    }
    const { after } = await estimate(many, { policy })
    expect(after!.savedMonthly).toBeLessThan(0)
    expect(after!.transitions).toBeCloseTo(0.03, 9)
    expect(after).not.toHaveProperty('paidOffAfterMonths')
  })

  it('takes prices of your own', async () => {
    const free = { storagePerGbMonth: 1, putPer1000: 0, getPer1000: 0, transitionPer1000: 0 }
    const prices = priceTable({
      name: 'ours',
      region: 'here',
      date: '2026-01-01',
      source: 'https://example.org',
      trafficPerGb: 0,
      classes: { STANDARD: free },
    })
    const { before } = await estimate([object(3 * GB, 1)], { prices })
    expect(before.monthly).toBe(3)
    await expect(estimate([object(1, 1, 'GLACIER')], { prices })).rejects.toThrow(
      refused(/'ours' has no GLACIER; add it/),
    )
  })

  it.each<[unknown, RegExp]>([
    [5, /prices: must be an object/],
    [{ ...AWS_US_EAST_1, currency: 'EUR' }, /there is no 'currency'/],
    [{ ...AWS_US_EAST_1, date: 5 }, /date must be a string/],
    [{ ...AWS_US_EAST_1, classes: {} }, /classes must hold STANDARD/],
    [{ ...AWS_US_EAST_1, classes: { STANDARD: {} } }, /classes.STANDARD.storagePerGbMonth must be a number/],
    [
      { ...AWS_US_EAST_1, classes: { STANDARD: { ...AWS_US_EAST_1.classes.STANDARD, perGb: 1 } } },
      /classes.STANDARD has no 'perGb'; known are storagePerGbMonth/,
    ],
  ])('refuses prices that are none (%#)', (prices, message) => {
    expect(() => priceTable(prices)).toThrow(refused(message))
  })
})

describe('the sample bucket of the guide', () => {
  it('costs at least 30 % less with its policy', async () => {
    const { objects, before, after } = await estimateCost(sampleBucket(), {
      policy: SAMPLE_POLICY,
      now: () => SAMPLE_NOW,
    })
    expect(objects).toBe(82_500)
    expect(after!.savedShare).toBeGreaterThanOrEqual(0.3)
    expect(after!.monthly).toBeLessThan(before.monthly)
    expect(after!.paidOffAfterMonths).toBeLessThan(3)
  })

  it('has the policy and the figures that stand in the guide', async () => {
    const guide = await readFile(new URL('../../docs/lifecycle.md', import.meta.url), 'utf8')
    const [policy] = /## A sample bucket.*?```json\n(.*?)```/s.exec(guide)?.slice(1) ?? []
    expect(JSON.parse(policy!)).toEqual(SAMPLE_POLICY)
    const { before, after } = await estimateCost(sampleBucket(), {
      policy: SAMPLE_POLICY,
      now: () => SAMPLE_NOW,
    })
    expect(guide).toContain(`$${before.monthly.toFixed(2)} a month`)
    expect(guide).toContain(
      `$${after!.monthly.toFixed(2)} a month, ${(after!.savedShare * 100).toFixed(1)} % less`,
    )
  })
})
