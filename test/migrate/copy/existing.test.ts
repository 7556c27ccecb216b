import { describe, expect, test } from 'vitest'
import { forward } from '../../../src/decorators/forward.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { migrated, ofKind, textsOf, twoSides } from './two-sides.ts'

describe('an object that is at the destination already', () => {
  test('with the same bytes is taken as copied, and nothing is sent', async () => {
    const sides = await twoSides({ a: 'the same' })
    const before = await sides.to.upload('a', 'the same')
    const { result } = await migrated(sides)
    expect(result).toMatchObject({ copied: 1, refused: 0 })
    expect((await sides.to.info('a')).etag).toBe(before.etag)
  })

  for (const [name, text] of [
    ['of the same size', 'other'],
    ['of another size', 'somebody else'],
  ] as const)
    test(`with other bytes ${name} stays, and the object is refused`, async () => {
      const sides = await twoSides({ a: 'these', b: 'b' })
      await sides.to.upload('a', text)
      const { result, events } = await migrated(sides)
      expect(result).toMatchObject({ complete: false, copied: 1, refused: 1, failed: 0 })
      expect(ofKind(events, 'refused')).toEqual([{ kind: 'refused', key: 'a', destinationKey: 'a' }])
      expect(await textsOf(sides.to)).toEqual({ a: text, b: 'b' })
    })

  test('is replaced under existing: overwrite', async () => {
    const sides = await twoSides({ a: 'these' })
    await sides.to.upload('a', 'others')
    const { result } = await migrated({ ...sides, existing: 'overwrite' })
    expect(result).toMatchObject({ complete: true, copied: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'these' })
  })

  test('stays under existing: refuse, also with the same bytes', async () => {
    const sides = await twoSides({ a: 'these' })
    await sides.to.upload('a', 'these')
    const { result } = await migrated({ ...sides, existing: 'refuse' })
    expect(result).toMatchObject({ complete: false, copied: 0, refused: 1 })
  })

  test('and has come since the plan is compared, not overwritten', async () => {
    const sides = await twoSides({ a: 'these', b: 'b' })
    const migration = migrate(sides)
    await migration.plan()
    await sides.to.upload('a', 'others')
    expect(await migration.run()).toMatchObject({ copied: 1, refused: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'others', b: 'b' })
  })
})

describe('a copy that was put and not recorded', () => {
  /** The put happens, and the process hears nothing of it any more. */
  async function killedBehindPut(objects: Record<string, string>) {
    const sides = await twoSides(objects)
    const deaf = forward(sides.to, {
      async upload(key, body, options) {
        await sides.to.upload(key, body, options)
        throw new Error('killed')
      },
    })
    const migration = migrate({ ...sides, to: deaf })
    await migration.plan()
    await expect(async () => migration.run()).rejects.toThrow('killed')
    return sides
  }

  test('counts as ours, and is not sent again', async () => {
    const sides = await killedBehindPut({ a: 'a' })
    const { etag } = await sides.to.info('a')
    const { result } = await migrated(sides)
    expect(result).toMatchObject({ complete: true, copied: 1, refused: 0 })
    expect((await sides.to.info('a')).etag).toBe(etag)
  })

  test('is replaced where the source has changed since', async () => {
    const sides = await killedBehindPut({ a: 'a' })
    await sides.from.upload('a', 'b')
    const { result } = await migrated(sides)
    expect(result).toMatchObject({ complete: true, copied: 1, refused: 0 })
    expect(await textsOf(sides.to)).toEqual({ a: 'b' })
  })

  test('is replaced where only its attributes have changed since', async () => {
    const sides = await killedBehindPut({ a: 'a' })
    await sides.from.upload('a', 'a', { cacheControl: 'no-store' })
    const { result } = await migrated(sides)
    expect(result).toMatchObject({ complete: true, copied: 1 })
    expect(await sides.to.info('a')).toMatchObject({ cacheControl: 'no-store' })
  })

  test('and was overwritten by somebody else stays theirs', async () => {
    const sides = await killedBehindPut({ a: 'a' })
    await sides.to.upload('a', 'theirs')
    expect((await migrated(sides)).result).toMatchObject({ complete: false, refused: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'theirs' })
  })
})

test('a copy of ours that somebody has overwritten is not overwritten when the source changes', async () => {
  const sides = await twoSides({ a: 'a' })
  await migrated(sides)
  const migration = migrate(sides)
  await sides.from.upload('a', 'new')
  await migration.plan()
  await sides.to.upload('a', 'theirs')
  expect(await migration.run()).toMatchObject({ copied: 0, refused: 1 })
  expect(await textsOf(sides.to)).toEqual({ a: 'theirs' })
})
