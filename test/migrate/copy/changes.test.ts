import { describe, expect, test } from 'vitest'
import { StorageError } from '../../../src/core/errors.ts'
import { entryName, listingOf } from '../../../src/core/listing.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { planRepairs } from '../../../src/migrate/verify/plan-repairs.ts'
import { migrated, ofKind, textsOf, twoSides } from './two-sides.ts'

/** An object of the source may be away for a while, and come back with its etag, as a folder that is mounted again. */
async function leaving(objects: Readonly<Record<string, string>>) {
  const sides = await twoSides(objects)
  let absent: string | undefined
  const from = forward(sides.from, {
    async download(key, options) {
      if (key === absent) throw new StorageError('not-found', 'away', { key })
      return sides.from.download(key, options)
    },
    list(options) {
      const list = sides.from.list(options)
      return listingOf({
        page: list.page,
        async *pages() {
          for await (const page of list.pages()) yield page.filter(entry => entryName(entry) !== absent)
        },
      })
    },
  })
  const away = (key?: string) => {
    absent = key
  }
  return { sides: { ...sides, from }, away }
}

describe('a source that changes', () => {
  test('between plan and copy is copied as it is then', async () => {
    const sides = await twoSides({ a: 'old a', b: 'b' })
    const migration = migrate(sides)
    await migration.plan()
    await sides.from.upload('a', 'new and longer a')
    const events = []
    for await (const event of migration.run()) events.push(event)
    expect(ofKind(events, 'changed')).toEqual([{ kind: 'changed', key: 'a' }])
    expect(await textsOf(sides.to)).toEqual({ a: 'new and longer a', b: 'b' })
    expect(await migration.verify()).toMatchObject({ complete: true })
  })

  test('before it is copied to nothing is gone, and nothing is made of it', async () => {
    const sides = await twoSides({ a: 'a', b: 'b' })
    const migration = migrate(sides)
    await migration.plan()
    await sides.from.delete('a')
    expect(await migration.run()).toMatchObject({ copied: 1, gone: 1, failed: 0 })
    expect(await textsOf(sides.to)).toEqual({ b: 'b' })
    expect(await migration.status()).toMatchObject({ phase: 'copied', byState: { gone: { objects: 1 } } })
  })

  test('is copied when it comes back as it was planned and never copied', async () => {
    const { sides, away } = await leaving({ a: 'old!', b: 'b' })
    await migrated(sides)
    await sides.from.upload('a', 'new!')
    await migrate(sides).plan()
    away('a')
    await migrate(sides).plan()
    away()
    const { result } = await migrated(sides)
    expect(result).toMatchObject({ complete: true, copied: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'new!', b: 'b' })
  })

  test('is copied when it was away just while a run wanted to copy it', async () => {
    const { sides, away } = await leaving({ a: 'old!', b: 'b' })
    await migrated(sides)
    await sides.from.upload('a', 'new!')
    let leaves = true
    const from = forward(sides.from, {
      download(key, options) {
        if (key === 'a' && leaves) away('a')
        leaves = false
        return sides.from.download(key, options).finally(() => away())
      },
    })
    const { result } = await migrated({ ...sides, from })
    expect(result).toMatchObject({ complete: true, copied: 1 })
    expect(await textsOf(sides.to)).toEqual({ a: 'new!', b: 'b' })
  })

  test('is copied again when it was away while its rotten copy was to be repaired', async () => {
    const { sides, away } = await leaving({ a: 'text', b: 'b' })
    await migrated(sides)
    const manifest = await migrate(sides).manifest()
    const { revision } = (await manifest.row('a'))!
    await manifest.write([{ sourceKey: 'a', status: 'differ', level: 'content', ifRevision: revision }])
    await planRepairs(manifest, () => undefined)
    away('a')
    await migrate(sides).plan()
    away()
    expect((await migrated(sides)).result).toMatchObject({ complete: true, copied: 1 })
  })

  test('while others are copied is found by the next pass, new objects included', async () => {
    const { from, ...others } = await twoSides({ a: 'old a', b: 'b' })
    let isChanged = false
    const changing = forward(from, {
      async download(key, options) {
        if (key === 'b' && !isChanged) {
          isChanged = true
          await from.upload('a', 'new a')
          await from.upload('c', 'c')
        }
        return from.download(key, options)
      },
    })
    const { result } = await migrated({ ...others, from: changing, limits: { concurrency: 1 } })
    expect(result).toMatchObject({ complete: true, copied: 4 })
    expect(await textsOf(others.to)).toEqual({ a: 'new a', b: 'b', c: 'c' })
  })

  test('without an end ends after some passes, and the result says so', async () => {
    const { from, ...others } = await twoSides({ a: 'a' })
    let count = 0
    const changing = forward(from, {
      async upload(key, body, options) {
        return from.upload(key, body, options)
      },
      async download(key, options) {
        const download = await from.download(key, options)
        if (key.startsWith('a')) await from.upload(`a${count++}`, 'more')
        return download
      },
    })
    const { result } = await migrated({ ...others, from: changing, verify: 'attributes' })
    expect(result.complete).toBe(false)
    expect(result.copied).toBeLessThan(100)
  })
})

test('a migration that has ended and is started again asks for no object', async () => {
  const { from, to, manifest } = await twoSides({ a: 'a', b: 'b' })
  await migrated({ from, to, manifest })
  const asked: string[] = []
  const counted = (name: string, store: typeof from) =>
    forward(store, {
      download: (key, options) => {
        asked.push(`${name} download ${key}`)
        return store.download(key, options)
      },
      info: (key, options) => {
        asked.push(`${name} info ${key}`)
        return store.info(key, options)
      },
      upload: (key, body, options) => {
        asked.push(`${name} upload ${key}`)
        return store.upload(key, body, options)
      },
    })
  const { result } = await migrated({ from: counted('from', from), to: counted('to', to), manifest })
  expect(result).toMatchObject({ complete: true, copied: 0 })
  expect(asked).toEqual([])
})
