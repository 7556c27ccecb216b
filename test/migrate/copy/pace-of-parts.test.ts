import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import { resumableMemory } from '../../support/resumable-memory.ts'
import { twoSides } from './two-sides.ts'

const PART = 4096

/** Milliseconds that a copy waits, in a time that passes by waiting only. */
async function waitedFor(options: MigrateOptions): Promise<number> {
  let now = 0
  const migration = migrate({
    ...options,
    now: () => now,
    sleep: async ms => {
      now += ms
    },
  })
  await migration.plan()
  await migration.run()
  return now
}

describe('limits', () => {
  test('on requests a second count both requests of each part', async () => {
    const sides = await twoSides({ a: Buffer.alloc(40 * PART) }, { to: resumableMemory({ partBytes: PART }) })
    const waited = await waitedFor({
      ...sides,
      limits: { requestsPerSecond: 20, concurrency: 1, largeObjectBytes: PART, partBytes: PART },
    })
    // 40 parts, read and sent, and the object's own; two are free at once.
    expect(waited).toBeGreaterThanOrEqual(3_900)
    expect(waited).toBeLessThan(4_600)
  })

  test('on bytes a second let many parts wait at once, and be interrupted, without a warning', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    onTestFinished(() => void process.off('warning', onWarning))
    const sides = await twoSides({ a: Buffer.alloc(40 * PART) }, { to: resumableMemory({ partBytes: PART }) })
    const controller = new AbortController()
    let waiting = 0
    const migration = migrate({
      ...sides,
      signal: controller.signal,
      limits: { bytesPerSecond: PART, largeObjectBytes: PART, partBytes: PART, bytesInFlight: 20 * PART },
      sleep(ms, signal) {
        if (++waiting === 20) setImmediate(() => controller.abort())
        return delay(ms, undefined, { signal })
      },
    })
    await migration.plan()
    await expect(migration.run()).rejects.toMatchObject({ code: 'aborted' })
    await new Promise(setImmediate)
    expect(waiting).toBe(20)
    expect(warnings).toEqual([])
  })

  test('on requests and bytes a second hold for what is compared, not copied', async () => {
    const bytes = Buffer.alloc(10_000)
    const objects = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`${at}`, bytes]))
    const sides = await twoSides(objects)
    for (const key of Object.keys(objects)) await sides.to.upload(key, bytes, { checksum: 'crc32' })
    const limits = { concurrency: 1 }
    // 20 bodies on either side, of which a tenth of a second is free.
    expect(
      await waitedFor({ ...sides, name: 'bytes', limits: { ...limits, bytesPerSecond: 100_000 } }),
    ).toBeGreaterThanOrEqual(3_800)
  })
})
