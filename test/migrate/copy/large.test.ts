import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { checksumHasher, parseChecksumText } from '../../../src/migrate/copy/checksum-text.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import { resumableMemory } from '../../support/resumable-memory.ts'
import { migrated, ofKind, twoSides } from './two-sides.ts'

const PART = 4096
const LIMITS = { largeObjectBytes: 10_000, partBytes: PART }
const large = (fill: string, bytes = 50_000) => Buffer.alloc(bytes, `${fill} `)

async function largeSides(objects: Record<string, Buffer>) {
  return twoSides(objects, { to: resumableMemory({ partBytes: PART }) })
}

async function bytesOf(store: StorageProvider, key: string): Promise<Buffer> {
  return Buffer.from(await (await store.download(key)).bytes())
}

describe('a large object', () => {
  test('goes in parts, read by ranges, and its checksum is that of its parts', async () => {
    const { from, ...others } = await largeSides({ a: large('a') })
    const ranges: unknown[] = []
    const watched = forward(from, {
      download(key, options) {
        ranges.push(options?.range)
        return from.download(key, options)
      },
    })
    const options: MigrateOptions = { ...others, from: watched, limits: LIMITS, verify: 'content' }
    const { result, events } = await migrated(options)
    expect(result).toMatchObject({ complete: true, copied: 1, copiedBytes: 50_000 })
    expect(ofKind(events, 'part')).toHaveLength(13)
    expect(ranges.slice(0, 13)).not.toContain(undefined)
    expect((await bytesOf(others.to, 'a')).equals(large('a'))).toBe(true)
    const row = await (await migrate(options).manifest()).row('a')
    const like = parseChecksumText(row!.sourceChecksum!)
    expect(like).toMatchObject({ kind: 'parts', partBytes: PART })
    const hasher = checksumHasher(like)
    for (let at = 0; at < 50_000; at += 777) hasher.update(large('a').subarray(at, at + 777))
    expect(hasher.text()).toBe(row!.sourceChecksum)
    expect(row!.progress).toBeUndefined()
  })

  test('is read straight into the memory of its parts where the source can', async () => {
    const { from, ...others } = await largeSides({ a: large('a') })
    let parts = 0
    const filling = forward(from, {
      async download(key, options = {}) {
        const { into, ...rest } = options
        const download = await from.download(key, rest)
        if (into === undefined) return download
        return download.through(source => ({
          async *chunks() {
            let at = 0
            for await (const chunk of source.chunks()) {
              into.set(chunk, at)
              at += chunk.length
            }
            parts++
            yield into
          },
          cancel: () => source.cancel(),
        }))
      },
    })
    const { result } = await migrated({ ...others, from: filling, limits: LIMITS, verify: 'content' })
    expect(result).toMatchObject({ complete: true, copied: 1, copiedBytes: 50_000 })
    expect(parts).toBe(13)
    expect((await bytesOf(others.to, 'a')).equals(large('a'))).toBe(true)
  })

  test('goes on after a kill with the parts that are missing', async () => {
    const sides = await largeSides({ a: large('a') })
    const { to } = sides
    let parts = 0
    const dying = forward(to, {
      uploadResumable: (key, source, options) =>
        to.uploadResumable(key, source, {
          ...options,
          async onPart(part) {
            await options?.onPart?.(part)
            if (++parts === 5) throw new Error('killed')
          },
        }),
    })
    // A clock that runs away, so that each part is recorded.
    let now = Date.now()
    const migration = migrate({
      ...sides,
      to: dying,
      limits: { ...LIMITS, attempts: 1 },
      now: () => (now += 5_000),
    })
    await migration.plan()
    await migration.run()
    const { result, events } = await migrated({ ...sides, limits: LIMITS })
    expect(result.complete).toBe(true)
    const [copied] = ofKind(events, 'copied')
    expect(copied?.resumedBytes).toBeGreaterThanOrEqual(5 * PART)
    expect(ofKind(events, 'part').length).toBeLessThanOrEqual(8)
    expect((await bytesOf(to, 'a')).equals(large('a'))).toBe(true)
    expect(await unfinished(to)).toBe(0)
  })

  test('that changes while it is copied is copied as it is then, and never mixed', async () => {
    const { from, ...others } = await largeSides({ a: large('a') })
    let reads = 0
    const changing = forward(from, {
      async download(key, options) {
        if (++reads === 4) await from.upload('a', large('b', 60_000))
        return from.download(key, options)
      },
    })
    const { result, events } = await migrated({
      ...others,
      from: changing,
      limits: LIMITS,
      sleep: async () => {},
    })
    expect(result.complete).toBe(true)
    expect(ofKind(events, 'retry').map(({ error }) => error.code)).toEqual(['conflict'])
    expect((await bytesOf(others.to, 'a')).equals(large('b', 60_000))).toBe(true)
  })

  test('whose copy was completed and not recorded counts as ours, also where the source has changed', async () => {
    for (const next of [large('a'), large('b')]) {
      const sides = await largeSides({ a: large('a') })
      const { to } = sides
      const deaf = forward(to, {
        async uploadResumable(key, source, options) {
          await to.uploadResumable(key, source, options)
          throw new Error('killed')
        },
      })
      const migration = migrate({ ...sides, to: deaf, limits: LIMITS })
      await migration.plan()
      await expect(async () => migration.run()).rejects.toThrow('killed')
      if (!next.equals(large('a'))) await sides.from.upload('a', next)
      const { result } = await migrated({ ...sides, limits: LIMITS })
      expect(result).toMatchObject({ complete: true, copied: 1, refused: 0 })
      expect((await bytesOf(to, 'a')).equals(next)).toBe(true)
    }
  })

  test('that is in the way of a foreign one is refused', async () => {
    const sides = await largeSides({ a: large('a') })
    await sides.to.upload('a', large('x'))
    const { result } = await migrated({ ...sides, limits: LIMITS })
    expect(result).toMatchObject({ complete: false, refused: 1 })
    expect((await bytesOf(sides.to, 'a')).equals(large('x'))).toBe(true)
  })

  test('is streamed whole where the destination takes no parts', async () => {
    const bytes = large('a', 9 * 2 ** 20)
    const sides = await twoSides({ a: bytes })
    const { result } = await migrated({ ...sides, limits: LIMITS })
    expect(result.complete).toBe(true)
    const row = await (await migrate(sides).manifest()).row('a')
    expect(row!.sourceChecksum).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    expect((await bytesOf(sides.to, 'a')).equals(bytes)).toBe(true)
  })
})

async function unfinished(store: StorageProvider): Promise<number> {
  let count = 0
  for await (const _ of store.unfinishedUploads()) count++
  return count
}
